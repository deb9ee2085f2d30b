# Reference results for means of counts where persons are in clusters: activities per person.
# Run in this folder: Rscript dose.R. Reads clustered.csv (simulated), writes dose.csv.
# Written with R 4.2.2, estimatr 1.0.0.
#
# The count is earn in whole fifties; who lacks it is not observed. case: mean, [weighted]; term:
# arm, group. A mean is a regression on nothing but the constant, where Stata's correction
# is G/(G-1). women-men: the women's coefficient in a regression on gender, CR0 times G/(G-1),
# among persons of clusters in which women and men are observed.
suppressMessages(library(estimatr))
source("common.R")

trial <- read.csv("clustered.csv")
trial <- trial[!is.na(trial$earn), ]
trial$count <- floor(pmax(trial$earn, 0) / 50)
trial$female <- as.numeric(trial$sex == "F")
genders <- tapply(trial$sex, trial$cluster, function(sex) length(unique(sex)))

for (weighted in c(FALSE, TRUE)) for (arm in 0:1) {
  case <- if (weighted) "mean weighted" else "mean"
  with_weights <- function(...) if (weighted) lm_robust(..., weights = w) else lm_robust(...)
  mine <- trial[trial$arm == arm, ]
  for (group in groups) {
    d <- members(mine, group)
    m <- with_weights(count ~ 1, d, clusters = cluster, se_type = "stata")
    add(case, paste(arm, group), coef(m), m$std.error, m$df)
  }
  d <- mine[genders[mine$cluster] == 2, ]
  m <- with_weights(count ~ female, d, clusters = cluster, se_type = "CR0")
  g <- length(unique(d$cluster))
  add(case, paste(arm, "women-men"), coef(m)[["female"]],
      m$std.error[["female"]] * sqrt(g / (g - 1)), m$df[["female"]])
}
save_as("dose.csv")
