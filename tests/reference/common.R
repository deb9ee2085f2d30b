# What the reference scripts share: rows of a result, the gender groups, arm against arm.

digits <- function(x) sprintf("%.17g", as.numeric(x))

found <- list()
keep <- function(...) found[[length(found) + 1]] <<- data.frame(...)
add <- function(case, term, estimate, std_error, df) {
  keep(case = case, term = term, estimate = digits(estimate), std_error = digits(std_error),
       df = digits(df))
}
save_as <- function(file) {
  write.csv(do.call(rbind, found), file, row.names = FALSE, quote = FALSE)
}

groups <- c("all", "women", "men")
members <- function(data, group) {
  switch(group, all = data, women = data[data$sex == "F", ], men = data[data$sex == "M", ])
}

# arm against arm: the same regression with the other arm as reference
against <- function(arm, reference) relevel(factor(arm), ref = as.character(reference))
label <- function(contrast) {
  if (contrast[2] == 0) as.character(contrast[1]) else paste(contrast, collapse = "-")
}

# the coefficient's name among those of a regression interacted with `female`
gap_of <- function(names, name) {
  names[names %in% c(paste0("female:", name), paste0(name, ":female"))]
}
