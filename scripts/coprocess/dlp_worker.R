# The other side of dlp.coprocess{"Rscript", "worker.R"}, with base R only.
#
#     # worker.R
#     source(Sys.getenv("DLP_WORKER_R"))
#     serve(function(example) example^2)
#
# The variable DLP_WORKER_R holds the path of this file. This file redirects R's own output to standard error. The
# output of programs that R starts is not redirected: use system2(..., stdout = TRUE).
#
# Values from Lua: nil becomes NULL. A table 1..n of numbers, of strings or of booleans becomes a vector (with NA for
# a hole), any other table 1..n a list, and a table with other keys a named list. An integer of 32 bits becomes an
# integer, any other number a double.
# Values to Lua: a vector of one element becomes that element; a longer vector becomes a table 1..n, and so does I(x)
# at any length. A named vector, list or data frame becomes a table with these keys, a matrix a table of its rows;
# NULL and NA become nil. A double stays a float, even 2.
# An R error becomes an error of the example, with the calls that led to it; the program continues.

serve <- local({

# JSON -> R ------------------------------------------------------------------------------------------------------------

letters_of <- c('"' = '"', "\\" = "\\", "/" = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t")

unescape_one <- function(text) {
  parts <- gregexpr("\\\\(?:u[0-9a-fA-F]{4}(?:\\\\u[dD][c-fC-F][0-9a-fA-F]{2})?|.)", text, perl = TRUE, useBytes = TRUE)
  regmatches(text, parts) <- lapply(regmatches(text, parts), function(escapes) vapply(escapes, function(escape) {
    if (substr(escape, 2, 2) != "u") return(letters_of[[substr(escape, 2, 2)]])
    codes <- strtoi(substring(escape, seq(3, nchar(escape), 6), seq(6, nchar(escape), 6)), 16L)
    is_pair <- length(codes) == 2 && codes[1] >= 0xD800 && codes[1] < 0xDC00
    if (is_pair) codes <- 0x10000 + (codes[1] - 0xD800) * 0x400 + (codes[2] - 0xDC00)
    if (any(codes == 0)) stop("a string with a NUL character: R has none")
    intToUtf8(codes)
  }, ""))
  text
}

strings_of <- function(tokens) {
  texts <- substr(tokens, 2, nchar(tokens, "bytes") - 1)
  is_escaped <- grepl("\\", texts, fixed = TRUE, useBytes = TRUE)
  texts[is_escaped] <- vapply(texts[is_escaped], unescape_one, "", USE.NAMES = FALSE)
  Encoding(texts) <- "UTF-8"
  texts
}

numbers_of <- function(tokens) {
  numbers <- as.numeric(tokens)
  is_integer <- !grepl("[.eENI]", tokens) & abs(numbers) <= .Machine$integer.max
  if (length(numbers) > 0 && all(is_integer)) as.integer(numbers) else numbers
}

# The values of tokens that are not brackets: a vector where they are of one kind, otherwise a list; NULL for a single
# null.
scalars_of <- function(tokens, is_array) {
  if (length(tokens) == 0) return(list())
  first <- substr(tokens, 1, 1)
  kind <- ifelse(first == '"', "string", ifelse(first == "t" | first == "f", "logical",
    ifelse(first == "n", "null", "number")))
  kinds <- unique(kind[kind != "null"])
  if (length(kinds) > 1) return(lapply(tokens, scalars_of, FALSE))
  if (length(kinds) == 0) return(if (is_array) rep(NA, length(tokens)) else NULL)
  tokens[kind == "null"] <- NA
  known <- kind != "null"
  values <- switch(kinds, string = strings_of(tokens[known]), logical = tokens[known] == "true",
    number = numbers_of(tokens[known]))
  all_of <- rep(values[NA_integer_], length(tokens))
  all_of[known] <- values
  all_of
}

token_pattern <- '"[^"\\\\]*+(?:\\\\.[^"\\\\]*+)*+"|[][{},:]|[^][{},:"\\s]+'

decode <- function(text) {
  tokens <- regmatches(text, gregexpr(token_pattern, text, perl = TRUE, useBytes = TRUE))[[1]]
  Encoding(tokens) <- "bytes"
  # For each place, where the next bracket is: an array without nested ones is read at once.
  brackets <- which(tokens == "[" | tokens == "]" | tokens == "{" | tokens == "}")
  place <- 1L
  nth <- 0L # Brackets that were read.

  read <- function() {
    token <- tokens[place]
    place <<- place + 1L
    if (token == "[") {
      nth <<- nth + 1L
      if (tokens[brackets[nth + 1L]] == "]") {
        last <- brackets[nth + 1L]
        inside <- if (last > place) tokens[seq(place, last - 1L, by = 2L)] else character()
        place <<- last + 1L
        nth <<- nth + 1L
        return(scalars_of(inside, TRUE))
      }
      values <- list()
      repeat {
        value <- read()
        values[length(values) + 1L] <- list(value)
        end <- tokens[place]
        place <<- place + 1L
        if (end == "]") break
      }
      nth <<- nth + 1L
      return(values)
    }
    if (token != "{") return(scalars_of(token, FALSE))
    nth <<- nth + 1L
    values <- list()
    keys <- character()
    if (tokens[place] == "}") {
      place <<- place + 1L
      nth <<- nth + 1L
      return(structure(list(), names = character()))
    }
    repeat {
      keys[length(keys) + 1L] <- tokens[place]
      place <<- place + 2L
      value <- read()
      values[length(values) + 1L] <- list(value)
      end <- tokens[place]
      place <<- place + 1L
      if (end == "}") break
    }
    nth <<- nth + 1L
    names(values) <- strings_of(keys)
    values
  }
  read()
}

# R -> JSON ------------------------------------------------------------------------------------------------------------

quoted <- function(texts) {
  texts <- enc2utf8(texts)
  texts <- gsub('(["\\\\])', "\\\\\\1", texts, perl = TRUE, useBytes = TRUE)
  if (any(grepl("[\x01-\x1f]", texts, perl = TRUE, useBytes = TRUE))) {
    for (code in 1:31) {
      texts <- gsub(rawToChar(as.raw(code)), sprintf("\\u%04x", code), texts, fixed = TRUE, useBytes = TRUE)
    }
  }
  paste0('"', texts, '"')
}

number_texts <- function(numbers) {
  texts <- sprintf("%.15g", numbers)
  is_short <- is.finite(numbers) & as.numeric(texts) != numbers
  texts[is_short] <- sprintf("%.17g", numbers[is_short])
  is_whole <- is.finite(numbers) & !grepl("[.e]", texts)
  texts[is_whole] <- paste0(texts[is_whole], ".0")
  texts[is.nan(numbers)] <- "NaN"
  texts[!is.na(numbers) & numbers == Inf] <- "Infinity"
  texts[!is.na(numbers) & numbers == -Inf] <- "-Infinity"
  texts
}

scalar_texts <- function(x) {
  texts <- switch(typeof(x), logical = ifelse(x, "true", "false"), integer = as.character(x), double = number_texts(x),
    character = quoted(x), stop("what it returns cannot go back: ", typeof(x), " has no JSON", call. = FALSE))
  texts[is.na(x) & !(is.double(x) & is.nan(x))] <- "null"
  texts
}

encode <- function(x) {
  if (is.null(x)) return("null")
  if (is.factor(x) || inherits(x, c("Date", "POSIXt"))) {
    keys <- names(x)
    x <- as.character(x)
    names(x) <- keys
  }
  if (is.raw(x)) return(quoted(rawToChar(x)))
  if (length(dim(x)) >= 2 && !is.list(x)) {
    rows <- lapply(seq_len(dim(x)[1]), function(row) {
      if (length(dim(x)) == 2) return(I(as.vector(x[row, ])))
      array(asplit(x, 1)[[row]], dim(x)[-1])
    })
    return(paste0("[", paste(vapply(rows, encode, ""), collapse = ","), "]"))
  }
  if (is.list(x) || !is.null(names(x))) {
    keys <- names(x)
    texts <- vapply(as.list(x), encode, "", USE.NAMES = FALSE)
    if (is.null(keys)) return(paste0("[", paste(texts, collapse = ","), "]"))
    if (length(texts) > 0) texts <- paste(quoted(keys), texts, sep = ":")
    return(paste0("{", paste(texts, collapse = ","), "}"))
  }
  is_array <- inherits(x, "AsIs") || length(x) != 1
  texts <- scalar_texts(if (is.object(x) || !is.null(attributes(x))) as.vector(unclass(x)) else x)
  if (is_array) paste0("[", paste(texts, collapse = ","), "]") else texts
}

# The loop -------------------------------------------------------------------------------------------------------------

# Reads from the descriptor itself, because a connection with a buffer would wait until the buffer is full.
new_reader <- function() {
  connection <- fifo("/dev/stdin", "rb", blocking = TRUE)
  rest <- raw()
  # The next line, or NULL at the end.
  function() {
    chunks <- list()
    repeat {
      end <- grepRaw("\n", rest, fixed = TRUE)
      if (length(end) > 0) break
      chunks[[length(chunks) + 1L]] <- rest
      rest <<- readBin(connection, "raw", 65536L)
      if (length(rest) == 0) return(NULL)
    }
    chunks[[length(chunks) + 1L]] <- rest[seq_len(end - 1L)]
    rest <<- rest[-seq_len(end)]
    rawToChar(do.call(c, chunks))
  }
}

# The error's text, with the calls that led to it; calls outside of the function belong to this file.
error_text <- function(error, calls) {
  texts <- vapply(calls, function(call) deparse(call)[1], "")
  texts <- utils::tail(texts, -match("fn(value)", texts, nomatch = length(texts)))
  texts <- texts[!grepl("^(\\.handleSimpleError|h\\(simpleError)", texts)]
  if (length(texts) > 50) texts <- c(texts[1:10], "...", utils::tail(texts, 39))
  paste(c(conditionMessage(error), if (length(texts) > 0) c("Calls, the innermost last:", paste0("  ", texts))),
    collapse = "\n")
}

function(fn) {
  fn <- match.fun(fn)
  read_line <- new_reader()
  answers <- file("/dev/stdout", "wb", raw = TRUE)
  # R's own output must not be taken for an answer.
  sink(stderr())
  # A warning should be visible when it comes, because there is no end of a command at which R would show it.
  if (getOption("warn") == 0) options(warn = 1)
  while (!is.null(line <- read_line())) {
    calls <- list()
    answer <- tryCatch(
      withCallingHandlers({
        value <- decode(line)
        result <- fn(value)
        encode(result)
      }, error = function(e) calls <<- utils::head(sys.calls(), -1)),
      error = function(e) paste0("!", quoted(error_text(e, calls))))
    writeBin(c(charToRaw(answer), as.raw(10L)), answers)
    flush(answers)
  }
}
})
