# The work of bootstrap.lua. dlp-lua starts this program once for each rank, and tells it where the other file is.

source(Sys.getenv("DLP_WORKER_R"))

serve(function(sample) {
  set.seed(sample)
  cars <- mtcars[sample.int(nrow(mtcars), replace = TRUE), ]
  unname(coef(lm(mpg ~ wt, cars))["wt"])
})
