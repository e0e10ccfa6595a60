#if canImport(Glibc)
    import Glibc
#endif

/// Whether a descriptor is a terminal on which the cursor can be moved: not where `TERM` says that it is dumb.
package func isDrawable(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && !(getenv("TERM").map { strcmp($0, "dumb") == 0 } ?? false)
}
