# Reference results for trials of clusters: three implementations of the cluster-robust
# variances, CR0, CR1 (Stata's) and CR2, with Satterthwaite's degrees of freedom for CR2.
# Run in this folder: Rscript clusters.R. Reads clustered.csv (simulated), writes clusters.csv.
# Written with R 4.2.2, estimatr 1.0.0, clubSandwich 0.5.8, sandwich 3.0-2, AER 1.2-10.
#
# case: [package] [iv | first stage | three arms] estimator [weighted] kind; without a package
#   it is estimatr's. Means have CR2 always.
# term: outcome, arm, group; women-men is the women's effect less the men's, from one
#   regression with everything interacted with gender.
# df: estimatr has clusters less one for CR0 and CR1, and clusters less twice the blocks for
#   blocked means; clubSandwich has Satterthwaite's for every kind; sandwich has none, and
#   clusters less one stand in its rows.
# Warnings that NaNs were produced are about coefficients that are not kept.
suppressMessages({
  library(estimatr)
  library(clubSandwich)
  library(sandwich)
  library(AER)
})
source("common.R")

trial <- read.csv("clustered.csv")
trial$block <- factor(trial$block)
trial$female <- as.numeric(trial$sex == "F")
kinds <- c("CR0", "CR1", "CR2")
estimatr_name <- c(CR0 = "CR0", CR1 = "stata", CR2 = "CR2")
club_name <- c(CR0 = "CR0", CR1 = "CR1S", CR2 = "CR2")  # CR1S is Stata's
adjustments <- c("fixed effects" = "block", ancova = "block + age + educ + earn0")
designs <- list(
  list(prefix = "", arm = "arm", contrasts = list(c(1, 0))),
  list(prefix = "three arms ", arm = "arm3", contrasts = list(c(1, 0), c(2, 0), c(1, 2)))
)
spell <- function(...) gsub(" +", " ", trimws(paste(...)))

# a call with or without weights, which the packages look up in the data
maybe <- function(weighted, f, ...) if (weighted) f(..., weights = w) else f(...)

# blocked means by clubSandwich: a regression with an effect per block (and gender), whose
# blocks are averaged by their persons, or their weights. Written such that the average is
# itself a coefficient: linear_contrast finds no df for lm in this version.
club_means <- function(case, term, y, data, by, weighted) {
  cell <- interaction(data[by], drop = TRUE)
  size <- as.numeric(if (weighted) tapply(data$w, cell, sum) else table(cell))
  men <- "sex" %in% by & tapply(data$female, cell, max) == 0
  share <- ifelse(men, -1, 1) * size / ave(size, men, FUN = sum)
  effects <- model.matrix(~ 0 + cell) * data$z
  data$average <- effects[, 1] / share[1]
  data$rest <- effects[, -1] - outer(effects[, 1], share[-1] / share[1])
  data$cell <- cell
  m <- maybe(weighted, lm, as.formula(paste(y, "~ 0 + cell + average + rest")), data)
  club <- coef_test(m, vcovCR(m, data$cluster, type = "CR2"), test = "Satterthwaite",
                    coefs = "average")
  add(case, term, club$beta, club$SE, club$df_Satt)
}

for (y in c("work", "earn")) for (design in designs) {
  known <- trial[!is.na(trial[[y]]), ]
  for (contrast in design$contrasts) {
    r <- known
    r$z <- against(known[[design$arm]], contrast[2])
    two <- known[known[[design$arm]] %in% contrast, ]
    two$z <- as.numeric(two[[design$arm]] == contrast[1])
    z <- paste0("z", contrast[1])
    named <- function(group) paste(y, label(contrast), group)
    on <- function(right) as.formula(paste(y, "~", right))

    for (weighted in c(FALSE, TRUE)) {
      word <- if (weighted) "weighted" else ""
      with_weights <- function(f, ...) maybe(weighted, f, ...)
      case <- function(..., kind = "") spell(design$prefix, ..., word, kind)
      cluster_robust <- function(formula, data, kind) {
        with_weights(lm_robust, formula, data, clusters = cluster, se_type = estimatr_name[kind])
      }
      keep_fit <- function(case, group, fit, name) {
        add(case, named(group), coef(fit)[[name]], fit$std.error[[name]], fit$df[[name]])
      }

      # differences in means, of the two arms only
      for (group in groups) {
        d <- members(two, group)
        plain <- with_weights(difference_in_means, on("z"), d, clusters = cluster)
        keep_fit(case("means"), group, plain, 1)
        plain <- with_weights(difference_in_means, on("z"), d, blocks = block, clusters = cluster)
        keep_fit(case("means blocked"), group, plain, 1)
        club_means(case("clubsandwich means blocked"), named(group), y, d, "block", weighted)
      }
      club_means(case("clubsandwich means blocked"), named("women-men"), y, two,
                 c("block", "sex"), weighted)
      gap <- cluster_robust(on("female * z"), two, "CR2")
      keep_fit(case("means"), "women-men", gap, "female:z")

      # regressions with common slopes
      for (kind in kinds) for (estimator in names(adjustments)) {
        right <- adjustments[[estimator]]
        both <- list(
          list(on(paste("z +", right)), groups), list(on(paste0("female * (z + ", right, ")")), "")
        )
        for (part in both) for (group in part[[2]]) {
          d <- if (group == "") r else members(r, group)
          fit <- cluster_robust(part[[1]], d, kind)
          name <- if (group == "") gap_of(names(coef(fit)), z) else z
          who <- if (group == "") "women-men" else group
          keep_fit(case(estimator, kind = kind), who, fit, name)

          m <- with_weights(lm, part[[1]], d)
          club <- coef_test(
            m, vcovCR(m, d$cluster, type = club_name[kind]), test = "Satterthwaite", coefs = name
          )
          add(case("clubsandwich", estimator, kind = kind), named(who), club$beta, club$SE,
              club$df_Satt)
          if (kind != "CR2") {
            v <- vcovCL(m, d$cluster, type = c(CR0 = "HC0", CR1 = "HC1")[kind],
                        cadjust = kind == "CR1")
            add(case("sandwich", estimator, kind = kind), named(who), coef(m)[[name]],
                sqrt(v[name, name]), length(unique(d$cluster)) - 1)
          }
        }
      }

      # Lin's regressions; the gap's by hand, centred within gender
      for (kind in kinds) for (blocked in c(FALSE, TRUE)) {
        estimator <- if (blocked) "lin blocked" else "lin"
        x <- if (blocked) ~ block + age + educ + earn0 else ~ age + educ + earn0
        for (group in groups) {
          fit <- with_weights(lm_lin, on("z"), x, members(r, group), clusters = cluster,
                              se_type = estimatr_name[kind])
          keep_fit(case(estimator, kind = kind), group, fit, z)
        }
        columns <- model.matrix(x, r)[, -1]
        mass <- if (weighted) r$w else rep(1, nrow(r))
        for (sex in c("F", "M")) {
          one <- r$sex == sex
          centre <- colSums(columns[one, ] * mass[one]) / sum(mass[one])
          columns[one, ] <- sweep(columns[one, ], 2, centre)
        }
        colnames(columns) <- paste0("x", seq_len(ncol(columns)))
        right <- paste0("female * z * (", paste(colnames(columns), collapse = " + "), ")")
        fit <- cluster_robust(on(right), cbind(r, columns), kind)
        keep_fit(case(estimator, kind = kind), "women-men", fit, gap_of(names(coef(fit)), z))
      }

      # two-stage least squares with arm as instrument of attendance, and its first stage
      if (design$arm == "arm") for (kind in kinds) {
        for (estimator in c("means", names(adjustments))) {
          more <- if (estimator == "means") "" else paste("+", adjustments[[estimator]])
          stage <- function(variable, by) {
            right <- paste(variable, more)
            if (by) paste0("female * (", right, ")") else right
          }
          for (group in c(groups, "women-men")) {
            by <- group == "women-men"
            d <- if (by) two else members(two, group)
            f <- on(paste(stage("attended", by), "|", stage("z", by)))
            fit <- with_weights(iv_robust, f, d, clusters = cluster, se_type = estimatr_name[kind])
            name <- if (by) gap_of(names(coef(fit)), "attended") else "attended"
            keep_fit(case("iv", estimator, kind = kind), group, fit, name)

            m <- with_weights(ivreg, f, data = d)
            club <- coef_test(
              m, vcovCR(m, d$cluster, type = club_name[kind]), test = "Satterthwaite",
              coefs = name
            )
            add(case("clubsandwich iv", estimator, kind = kind), named(group), club$beta, club$SE,
                club$df_Satt)

            if (!by) {
              first <- cluster_robust(as.formula(paste("attended ~", stage("z", by))), d, kind)
              keep_fit(case("first stage", estimator, kind = kind), group, first, "z")
            }
          }
        }
      }
    }
  }
}
save_as("clusters.csv")
