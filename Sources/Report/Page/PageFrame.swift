/// The parts that all pages have in common: the layout, and the permissions for browsers.
enum PageFrame {
    /// The beginning, up to the body.
    ///
    /// The page loads nothing from outside, and only scripts that carry `nonce` run.
    static func head(nonce: String, style: String) -> String {
        #"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'nonce-\#(nonce)'; style-src 'nonce-\#(nonce)'; img-src data:; base-uri 'none'; form-action 'none'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="no-referrer">
        <link rel="icon" href="data:,">
        <title>dlp-lua: report of a job</title>
        <style nonce="\#(nonce)">
        \#(style)
        </style>
        </head>

        """#
    }

    /// The elements that the script fills.
    static let body = #"""
        <body>
        <header>
        <h1 id="title">Report of a job</h1>
        <p id="subtitle"></p>
        <noscript><p>This page is drawn by a script of its own, which this browser does not run. It needs no network.</p></noscript>
        </header>
        <main>
        <section aria-labelledby="summary-heading">
        <h2 id="summary-heading">Summary</h2>
        <p id="reason" hidden></p>
        <dl id="summary"></dl>
        </section>
        <section aria-labelledby="timeline-heading">
        <h2 id="timeline-heading">Timeline</h2>
        <div id="tools" role="toolbar" aria-label="View of the timeline" aria-controls="timeline"></div>
        <div id="timeline" role="application" aria-roledescription="timeline" tabindex="0" aria-describedby="keys"><canvas id="canvas" aria-hidden="true"></canvas></div>
        <p id="details" role="status"></p>
        <ul id="legend" aria-label="Legend"></ul>
        <p id="keys">Keys: left and right go from block to block, up and down from rank to rank, Home and End to the first and the last; F to the next failure, L to the next of the longest, with Shift to the one before; plus and minus zoom, Shift with an arrow moves, 0 shows all. Pointer: drag to move, Ctrl and the wheel zoom, a double click zooms in.</p>
        </section>
        <section aria-labelledby="lengths-heading">
        <h2 id="lengths-heading">How long examples took</h2>
        <div id="lengths"></div>
        </section>
        <section aria-labelledby="longest-heading">
        <h2 id="longest-heading">The longest</h2>
        <div id="longest"></div>
        </section>
        <section aria-labelledby="failures-heading">
        <h2 id="failures-heading">Failures</h2>
        <div id="failures"></div>
        </section>
        <section aria-labelledby="hosts-heading">
        <h2 id="hosts-heading">Hosts and ranks</h2>
        <div id="hosts"></div>
        <div id="ranks"></div>
        </section>
        <section id="plan-section" aria-labelledby="plan-heading" hidden>
        <h2 id="plan-heading">What more ranks would bring</h2>
        <div id="plan"></div>
        </section>
        </main>
        <footer><p id="footer"></p></footer>

        """#
}
