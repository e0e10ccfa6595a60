/// The look of a page: light or dark, as the reader's system is; always light on paper.
enum PageStyle {
    /// The style sheet.
    static let text = #"""
        :root {
          --back: #ffffff; --panel: #f4f6f8; --text: #1b1f24; --soft: #57606a; --line: #d3d9df;
          --work: #3b6ea8; --failed: #c22727; --lost: #9a6200;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --back: #14171c; --panel: #1d2229; --text: #e7e9ec; --soft: #a4aeb9; --line: #39414b;
            --work: #6ea3dc; --failed: #ff7370; --lost: #eeb04c;
          }
        }
        @media print {
          :root {
            --back: #ffffff; --panel: #f4f6f8; --text: #000000; --soft: #444444; --line: #bbbbbb;
            --work: #3b6ea8; --failed: #c22727; --lost: #9a6200;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0 auto; padding: 1.2rem; max-width: 84rem;
          background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif;
        }
        h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere; }
        h2 { margin: 0 0 0.7rem; font-size: 1.15rem; }
        section { margin-top: 2rem; }
        #subtitle, #footer, #keys, .note { color: var(--soft); }
        #subtitle { margin: 0.2rem 0 0; }
        #keys, .note, #footer { font-size: 0.87rem; }
        #reason {
          margin: 0 0 1rem; padding: 0.6rem 0.8rem; border-left: 4px solid var(--failed); background: var(--panel);
          white-space: pre-wrap; overflow-wrap: anywhere;
        }
        #summary { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 0.8rem 1.5rem; margin: 0; }
        #summary div { border-top: 1px solid var(--line); padding-top: 0.35rem; }
        #summary dt { color: var(--soft); font-size: 0.87rem; }
        #summary dd { margin: 0; overflow-wrap: anywhere; }
        #summary .more { display: block; color: var(--soft); font-size: 0.87rem; }
        #tools { display: flex; flex-wrap: wrap; gap: 0.4rem; margin-bottom: 0.6rem; }
        button {
          min-width: 2.2rem; padding: 0.2rem 0.6rem; border: 1px solid var(--line); border-radius: 4px;
          background: var(--panel); color: var(--text); font: inherit; cursor: pointer;
        }
        #timeline { border: 1px solid var(--line); touch-action: pan-y; cursor: grab; user-select: none; }
        :focus-visible { outline: 3px solid var(--work); outline-offset: 2px; }
        canvas { display: block; }
        #canvas { width: 100%; }
        #details { min-height: 3.2em; margin: 0.5rem 0; padding: 0.35rem 0.6rem; background: var(--panel); overflow-wrap: anywhere; }
        #legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.4rem; margin: 0 0 0.5rem; padding: 0; list-style: none; }
        #legend li { display: flex; align-items: center; gap: 0.45rem; }
        #keys { margin: 0; }
        figure { margin: 0; }
        #lengths svg { display: block; max-width: 100%; height: auto; }
        svg text { fill: var(--text); font: 12px system-ui, sans-serif; }
        svg .soft { fill: var(--soft); }
        svg .line { stroke: var(--line); }
        svg .bar { fill: var(--work); }
        svg .curve { fill: none; stroke: var(--work); stroke-width: 2; }
        svg .ideal { fill: none; stroke: var(--soft); stroke-width: 1; stroke-dasharray: 5 4; }
        svg .dot { fill: var(--work); }
        .wide { overflow-x: auto; }
        table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
        caption { padding: 0 0 0.4rem; color: var(--soft); text-align: left; }
        th, td { padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
        th { font-weight: 600; white-space: nowrap; }
        .number { text-align: right; white-space: nowrap; }
        .text { min-width: 11rem; overflow-wrap: anywhere; }
        pre, code { font: 13px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
        pre { margin: 0; }
        code { user-select: all; }
        details { margin: 0.3rem 0; }
        summary { cursor: pointer; }
        #ranks { margin-top: 1.6rem; }
        .share { display: flex; align-items: center; gap: 0.6rem; min-width: 11rem; }
        .share .all { flex: 1; height: 0.7rem; border: 1px solid var(--line); background: var(--panel); }
        .share .part { display: block; height: 100%; background: var(--work); print-color-adjust: exact; }
        .share .percent { min-width: 3rem; text-align: right; }
        @media print {
          body { max-width: none; padding: 0; font-size: 10pt; }
          #tools, #keys, #details { display: none; }
          .wide { overflow: visible; }
          h2 { break-after: avoid; }
          tr, figure, #timeline { break-inside: avoid; }
          canvas, svg { print-color-adjust: exact; }
        }
        """#
}
