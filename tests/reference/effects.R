# Reference results for tests/effects/test_oracle.py.
# Run in this folder: Rscript effects.R. Reads trial.csv (simulated), writes effects.csv.
# Written with R 4.2.2, estimatr 1.0.0, sandwich 3.0-2.
library(estimatr)
library(sandwich)

trial <- read.csv("trial.csv")
trial$block <- factor(trial$site)
contrasts_of_arms <- list(c(1, 0), c(2, 0), c(1, 2))
kinds <- c("HC0", "HC1", "HC2", "HC3")

found <- list()
add <- function(case, outcome, contrast, estimate, std_error, df) {
  digits <- function(x) sprintf("%.17g", as.numeric(x))
  label <- if (contrast[2] == 0) contrast[1] else paste(contrast, collapse = "-")
  found[[length(found) + 1]] <<- data.frame(
    case = case, term = paste(outcome, label), estimate = digits(estimate),
    std_error = digits(std_error), df = digits(df)
  )
}
add_fit <- function(case, outcome, contrast, fit, name) {
  add(case, outcome, contrast, coef(fit)[[name]], fit$std.error[[name]], fit$df[[name]])
}
# arm against arm: the same regression with the other arm as reference
against <- function(data, reference) {
  data$arm <- relevel(factor(data$arm), ref = as.character(reference))
  data
}
term <- function(contrast) paste0("arm", contrast[1])

for (y in c("work", "earn")) {
  d <- trial[!is.na(trial[[y]]), ]
  on <- function(right) as.formula(paste(y, "~", right))

  for (contrast in contrasts_of_arms) {
    two <- d[d$arm %in% contrast, ]
    means <- function(case, ...) {
      fit <- difference_in_means(
        on("arm"), two, condition1 = contrast[2], condition2 = contrast[1], ...
      )
      add_fit(case, y, contrast, fit, 1)
    }
    means("means")
    means("means weighted", weights = w)
    means("means blocked", blocks = block)
    means("means blocked weighted", blocks = block, weights = w)

    r <- against(d, contrast[2])
    for (kind in kinds) {
      regression <- function(case, formula, ...) {
        add_fit(paste(case, kind), y, contrast, lm_robust(formula, r, se_type = kind, ...),
                term(contrast))
      }
      regression("fixed effects", on("arm + block"))
      regression("fixed effects weighted", on("arm + block"), weights = w)
      regression("ancova", on("arm + age + educ + earn0 + block"))
      regression("ancova weighted", on("arm + age + educ + earn0 + block"), weights = w)
      regression("ancova unblocked", on("arm + age + educ + earn0"))

      # a second implementation of the same variances
      plain <- lm(on("arm + age + educ + earn0 + block"), r)
      v <- vcovHC(plain, type = kind)
      add(paste("sandwich", kind), y, contrast, coef(plain)[[term(contrast)]],
          sqrt(v[term(contrast), term(contrast)]), plain$df.residual)

      adjusted <- function(case, covariates, data = r, ...) {
        add_fit(paste(case, kind), y, contrast,
                lm_lin(on("arm"), covariates, data, se_type = kind, ...), term(contrast))
      }
      adjusted("lin", ~ age + educ + earn0)
      adjusted("lin weighted", ~ age + educ + earn0, weights = w)
      adjusted("lin blocked", ~ block + age + educ + earn0)
      adjusted("lin blocked weighted", ~ block + age + educ + earn0, weights = w)
      adjusted("lin two arms", ~ age + educ + earn0, against(two, contrast[2]))
    }
    for (sex in c("F", "M")) {
      one <- r[r$sex == sex, ]
      fit <- lm_lin(on("arm"), ~ block + age + educ + earn0, one, se_type = "HC2")
      add_fit(paste("lin blocked", sex), y, contrast, fit, term(contrast))
      fit <- lm_robust(on("arm + age + educ + earn0 + block"), one, se_type = "HC2")
      add_fit(paste("ancova", sex), y, contrast, fit, term(contrast))
    }
    if (contrast[2] == 0) {
      two$z <- as.numeric(two$arm == contrast[1])
      wald <- function(case, data) {
        fit <- iv_robust(on("attended | z"), data, se_type = "HC2")
        add_fit(case, y, contrast, fit, "attended")
      }
      wald("wald", two)
      wald("wald F", two[two$sex == "F", ])
      wald("wald M", two[two$sex == "M", ])
    }
  }
}
write.csv(do.call(rbind, found), "effects.csv", row.names = FALSE, quote = FALSE)
