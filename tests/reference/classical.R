# Reference results with classical standard errors, one residual variance for all persons.
# Run in this folder: Rscript classical.R. Reads trial.csv and clustered.csv (simulated; its
# clusters are left aside here), writes classical.csv. Written with R 4.2.2, estimatr 1.0.0.
#
# case: file, estimator, [weighted]; term: outcome, arm, group. By lm; Lin's by estimatr.
suppressMessages(library(estimatr))
source("common.R")

files <- list(trial = list(block = "site", contrasts = list(c(1, 0), c(2, 0), c(1, 2))),
              clustered = list(block = "block", contrasts = list(c(1, 0))))
adjustments <- c("fixed effects" = "block", ancova = "block + age + educ + earn0",
                 "ancova unblocked" = "age + educ + earn0")

for (file in names(files)) for (y in c("work", "earn")) for (group in groups) {
  trial <- read.csv(paste0(file, ".csv"))
  trial$block <- factor(trial[[files[[file]]$block]])
  d <- members(trial[!is.na(trial[[y]]), ], group)
  for (contrast in files[[file]]$contrasts) for (weighted in c(FALSE, TRUE)) {
    d$z <- against(d$arm, contrast[2])
    z <- paste0("z", contrast[1])
    term <- paste(y, label(contrast), group)
    case <- function(estimator) paste(c(file, estimator, if (weighted) "weighted"), collapse = " ")
    with_weights <- function(f, ...) if (weighted) f(..., weights = w) else f(...)
    for (estimator in names(adjustments)) {
      m <- with_weights(lm, as.formula(paste(y, "~ z +", adjustments[[estimator]])), d)
      add(case(estimator), term, coef(m)[[z]], sqrt(vcov(m)[z, z]), m$df.residual)
    }
    for (x in list(~ age + educ + earn0, ~ block + age + educ + earn0)) {
      fit <- with_weights(lm_lin, as.formula(paste(y, "~ z")), x, d, se_type = "classical")
      estimator <- if ("block" %in% all.vars(x)) "lin blocked" else "lin"
      add(case(estimator), term, coef(fit)[[z]], fit$std.error[[z]], fit$df[[z]])
    }
  }
}
save_as("classical.csv")
