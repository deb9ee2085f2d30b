# Reference results for months to a first job with exits that compete: Aalen-Johansen.
# Run in this folder: Rscript durations.R. Reads durations.csv (simulated), writes
# durations_reference.csv. Written with R 4.2.2, survival 3.5-3.
#
# Who is lost in a month is at risk in it. Standard errors are the infinitesimal jackknife's,
# the only ones that survfit has for several states. With weights or clusters they are formed
# here from survfit's influence values, times the weight and summed by cluster: version 3.5-3
# leaves `cluster` unused for several states, and the weights out of its `se(rmean)`.
# case: job | exit (cumulative incidence) | restricted mean (months until a first job, of the
#   twelve: the area under one less the incidence), [weighted], [clustered].
# term: arm or 1-0, group; women-men is the women's less the men's.
suppressMessages(library(survival))
source("common.R")

d <- read.csv("durations.csv")
d$state <- factor(d$event, 0:2, c("lost", "job", "exit"))
months <- 1:12
names_of <- c(paste("job", months), paste("exit", months), paste("restricted mean", 12))

# the estimates of one cell and the influence of each person of the file on them
cell <- function(rows, weighted) {
  one <- d[rows, ]
  one$mass <- if (weighted) one$w else 1
  fit <- survfit(Surv(month, state) ~ 1, one, id = person, weights = mass, influence = TRUE)
  stopifnot(identical(fit$states, c("(s0)", "job", "exit")))
  influence <- if (is.list(fit$influence.pstate)) fit$influence.pstate[[1]] else
    fit$influence.pstate
  influence <- influence[match(one$person, dimnames(influence)[[1]]), -1, ] * one$mass
  at <- findInterval(months, fit$time)  # 0 before the first event
  step <- function(x) c(0, x)[at + 1]
  job <- step(fit$pstate[, 2])
  value <- c(job, step(fit$pstate[, 3]), 12 - sum(job[1:11]))
  steps <- function(state) t(apply(influence[, , state], 1, step))
  scores <- matrix(0, nrow(d), length(value))
  scores[rows, ] <- cbind(steps(2), steps(3), -rowSums(steps(2)[, 1:11]))
  # what survfit says itself
  errors <- sqrt(colSums(scores^2))
  stopifnot(all.equal(errors[months], step(fit$std.err[, 2]), tolerance = 1e-8),
            all.equal(errors[12 + months], step(fit$std.err[, 3]), tolerance = 1e-8))
  own <- summary(fit, rmean = 12)$table["job", ]
  stopifnot(all.equal(12 - own[["rmean"]], value[25], tolerance = 1e-12))
  if (!weighted) stopifnot(all.equal(own[["se(rmean)"]], errors[25], tolerance = 1e-8))
  list(value = value, scores = scores)
}
minus <- function(a, b) list(value = a$value - b$value, scores = a$scores - b$scores)

for (weighted in c(FALSE, TRUE)) {
  cells <- list()
  for (group in groups) {
    who <- d$person %in% members(d, group)$person
    for (arm in 0:1) cells[[paste(arm, group)]] <- cell(who & d$arm == arm, weighted)
    cells[[paste("1-0", group)]] <- minus(cells[[paste(1, group)]], cells[[paste(0, group)]])
  }
  for (arm in c("0", "1", "1-0")) {
    cells[[paste(arm, "women-men")]] <-
      minus(cells[[paste(arm, "women")]], cells[[paste(arm, "men")]])
  }
  for (term in names(cells)) for (clustered in c(FALSE, TRUE)) {
    scores <- cells[[term]]$scores
    if (clustered) scores <- rowsum(scores, d$cluster)
    errors <- sqrt(colSums(scores^2))
    for (i in seq_along(names_of)) {
      name <- sub(" [0-9]+$", "", names_of[i])
      words <- c(name, if (weighted) "weighted", if (clustered) "clustered")
      keep(case = paste(words, collapse = " "), term = term,
           month = sub("^.* ", "", names_of[i]), estimate = digits(cells[[term]]$value[i]),
           std_error = digits(errors[i]))
    }
  }
}
save_as("durations_reference.csv")
