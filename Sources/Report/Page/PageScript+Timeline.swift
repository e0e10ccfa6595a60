// The timeline of a page: its visible part, its drawing, and the reader's navigation in it.
extension PageScript {
    /// The contents of the timeline, and its visible part.
    static let timelineView = #"""
        // Returns the blocks of a row from a list of seven numbers per block.
        function unpack(list) {
          const size = list.length / 7;
          const blocks = {size};
          for (const name of ["start", "end", "work", "first", "last", "count", "failed"]) blocks[name] = new Float64Array(size);
          let moment = 0;
          for (let place = 0, at = 0; place < size; place += 1, at += 7) {
            blocks.start[place] = moment + list[at];
            moment = blocks.end[place] = blocks.start[place] + list[at + 1];
            blocks.work[place] = list[at + 1] - list[at + 2];
            blocks.first[place] = list[at + 3];
            blocks.last[place] = list[at + 3] + list[at + 4];
            blocks.count[place] = list[at + 4] + 1 - list[at + 5];
            blocks.failed[place] = list[at + 6];
          }
          return blocks;
        }
        rows.forEach((row, place) => { row.blocks = unpack(data.blocks[place]); });

        // Single examples that are marked: those that failed, and the longest.
        function makeMark(kind, example) {
          const row = rows.findIndex(row => row.rank === example.rank && row.host === example.host);
          const took = (example.took || 0) * 1e6 * (example.together || 1);
          return {kind, example, row, start: Math.max(example.end - took, 0), end: example.end};
        }
        const marks = {
          longest: data.longest.map(example => makeMark("longest", example)).filter(mark => mark.row >= 0),
          failed: data.failures.map(example => makeMark("failed", example)).filter(mark => mark.row >= 0),
        };
        const allMarks = [...marks.longest, ...marks.failed];

        const whole = {from: 0, to: Math.max(data.length, 1), top: 0, bottom: Math.max(rows.length, 1)};
        const view = {...whole};
        // What the keyboard has selected: a block of a row, or a mark.
        let focus = null;

        function setView(from, to, top, bottom) {
          const least = Math.min(whole.to, 10), span = Math.min(Math.max(to - from, least), whole.to);
          const height = Math.min(Math.max(bottom - top, Math.min(4, whole.bottom)), whole.bottom);
          view.from = Math.min(Math.max(from, 0), whole.to - span);
          view.to = view.from + span;
          view.top = Math.min(Math.max(top, 0), whole.bottom - height);
          view.bottom = view.top + height;
          redraw();
        }

        function zoomTime(factor, around) {
          const middle = around === undefined ? (view.from + view.to) / 2 : around;
          setView(middle - (middle - view.from) / factor, middle + (view.to - middle) / factor, view.top, view.bottom);
        }

        function zoomRanks(factor, around) {
          const middle = around === undefined ? (view.top + view.bottom) / 2 : around;
          setView(view.from, view.to, middle - (middle - view.top) / factor, middle + (view.bottom - middle) / factor);
        }

        // Moves the view by shares of its width and height.
        function move(time, ranks) {
          const across = time * (view.to - view.from), down = ranks * (view.bottom - view.top);
          setView(view.from + across, view.to + across, view.top + down, view.bottom + down);
        }

        // Returns the row, beginning and end of a block or mark.
        function span(thing) {
          if (thing.mark) return {row: thing.mark.row, start: thing.mark.start, end: thing.mark.end};
          const blocks = rows[thing.row].blocks;
          return {row: thing.row, start: blocks.start[thing.block], end: blocks.end[thing.block]};
        }

        // Moves the view so that a block or mark is visible.
        function reveal(thing) {
          const {row, start, end} = span(thing);
          const width = view.to - view.from, height = view.bottom - view.top;
          let [from, top] = [view.from, view.top];
          if (start < view.from || end > view.to) from = end - start > width ? start : (start + end - width) / 2;
          if (row < view.top) top = row;
          if (row + 1 > view.bottom) top = row + 1 - height;
          setView(from, from + width, top, top + height);
        }

        // Returns the block of a row at a moment, or the nearest one before or after it.
        function blockAt(row, moment) {
          const {start, end, size} = rows[row].blocks;
          let [low, high] = [0, size];
          while (low < high) {
            const middle = (low + high) >> 1;
            if (end[middle] < moment) low = middle + 1; else high = middle;
          }
          if (low === size || (low > 0 && moment - end[low - 1] < start[low] - moment)) low -= 1;
          return low;
        }

        function describe(thing) {
          const row = rows[thing.mark ? thing.mark.row : thing.row];
          if (thing.mark) {
            const {kind, example} = thing.mark, failed = kind === "failed";
            const time = "took" in example ? `, ${took(example)}` : "";
            const input = example.input ? `, given ${example.input}` : "";
            const message = failed ? `: ${(example.message || "").split("\n")[0]}` : "";
            return `${failed ? "Failed" : "One of the longest"}: example ${exampleName(example)} on ${rankName(row)}${time}, `
              + `ended ${clock(example.end)}${input}${message}`;
          }
          if (thing.lost) return `${rankName(row)} was lost at ${clock(row.lost[1])}: ${row.lost[2]}`;
          const blocks = row.blocks, place = thing.block;
          const [first, last, size] = [blocks.first[place], blocks.last[place], blocks.count[place]];
          const examples = size === 1 ? `example ${number(first)}`
            : size === last - first + 1 ? `examples ${number(first)} to ${number(last)}`
            : `${number(size)} examples of ${number(first)} to ${number(last)}`;
          const failed = blocks.failed[place] === 0 ? "" : size === 1 ? ", failed" : `, ${number(blocks.failed[place])} failed`;
          const spent = blocks.end[place] - blocks.start[place], work = blocks.work[place];
          const part = work < 0.995 * spent ? ` (at work ${percent(work / spent)} of it)` : "";
          const mean = size > 1 ? `, ${duration(work / 1e6 / size)} each` : "";
          return `${rankName(row)}: ${examples}${failed}, ${duration(spent / 1e6)}${part}${mean}, from `
            + `${clock(blocks.start[place])} to ${clock(blocks.end[place])}`;
        }

        """#

    /// Draws the visible part on a canvas.
    static let timelineDrawing = #"""
        const canvas = at("canvas"), chart = at("timeline"), pen = canvas.getContext("2d");
        const layout = {left: 0, right: 12, top: 8, bottom: 26, width: 0, height: 0};
        let colors = {};
        let isDrawing = false;

        // The chart is as high as its rows need, up to what fits on a screen.
        const chartHeight = Math.min(Math.max(rows.length * 24, 48), 560) + layout.top + layout.bottom;
        canvas.style.height = `${chartHeight}px`;

        function redraw() {
          if (isDrawing) return;
          isDrawing = true;
          requestAnimationFrame(() => { isDrawing = false; draw(); });
        }

        function readColors() {
          const style = getComputedStyle(document.documentElement);
          for (const name of ["back", "panel", "text", "soft", "line", "work", "failed", "lost"]) {
            colors[name] = style.getPropertyValue(`--${name}`).trim();
          }
          colors.hatch = hatch(colors.failed, colors.back);
          colors.dots = hatch(colors.back, colors.lost);
        }

        // Returns a pattern of stripes, which are visible without colour too.
        function hatch(back, line) {
          const tile = document.createElement("canvas");
          tile.width = tile.height = 6;
          const tilePen = tile.getContext("2d");
          tilePen.fillStyle = back;
          tilePen.fillRect(0, 0, 6, 6);
          tilePen.strokeStyle = line;
          tilePen.lineWidth = 1.5;
          for (const shift of [-6, 0, 6]) {
            tilePen.beginPath();
            tilePen.moveTo(shift, 6);
            tilePen.lineTo(shift + 6, 0);
            tilePen.stroke();
          }
          return pen.createPattern(tile, "repeat");
        }

        const xOf = time => layout.left + (time - view.from) / (view.to - view.from) * layout.width;
        const yOf = row => layout.top + (row - view.top) / (view.bottom - view.top) * layout.height;
        const timeAt = x => view.from + (x - layout.left) / layout.width * (view.to - view.from);
        const rowAt = y => Math.floor(view.top + (y - layout.top) / layout.height * (view.bottom - view.top));

        function shortened(text, width) {
          if (pen.measureText(text).width <= width) return text;
          let end = text.length;
          while (end > 1 && pen.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
          return `${text.slice(0, end)}…`;
        }

        function draw() {
          const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
          if (width === 0) return;
          canvas.width = Math.round(width * ratio);
          canvas.height = Math.round(height * ratio);
          pen.setTransform(ratio, 0, 0, ratio, 0, 0);
          pen.font = "12px system-ui, sans-serif";
          const widest = Math.max(...[rows[0], rows[rows.length - 1]].map(row => row ? pen.measureText(rankLabel(row)).width : 0));
          layout.left = Math.min(widest + 18, Math.max(width * 0.25, 60));
          layout.width = width - layout.left - layout.right;
          layout.height = height - layout.top - layout.bottom;
          pen.fillStyle = colors.back;
          pen.fillRect(0, 0, width, height);
          drawAxis(height);
          const rowHeight = layout.height / (view.bottom - view.top);
          drawLabels(rowHeight);
          pen.save();
          pen.beginPath();
          pen.rect(layout.left, 0, layout.width + 1, height - layout.bottom + 1);
          pen.clip();
          if (rowHeight < 4) drawCells(); else drawRows(rowHeight);
          for (const mark of allMarks) drawMark(mark, rowHeight);
          if (focus) drawFocus(rowHeight);
          pen.restore();
        }

        function drawAxis(height) {
          const seconds = (view.to - view.from) / 1e6, room = Math.max(Math.floor(layout.width / 90), 2);
          const long = [60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 432000, 864000];
          const step = seconds / room <= 30 ? roundStep(seconds, room)
            : long.find(step => seconds / step <= room) || roundStep(seconds, room);
          const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), two = value => String(value).padStart(2, "0");
          const label = value => {
            if (step < 60) return `${value.toFixed(digits)} s`;
            const minutes = Math.round(value / 60);
            return `${Math.floor(minutes / 60)}:${two(minutes % 60)} h`;
          };
          pen.strokeStyle = colors.line;
          pen.fillStyle = colors.soft;
          pen.textAlign = "center";
          pen.lineWidth = 1;
          for (let place = Math.ceil(view.from / 1e6 / step - 1e-9); place * step <= view.to / 1e6 * (1 + 1e-12); place += 1) {
            const x = Math.round(xOf(place * step * 1e6)) + 0.5;
            pen.beginPath();
            pen.moveTo(x, layout.top - 4);
            pen.lineTo(x, height - layout.bottom + 4);
            pen.stroke();
            const text = label(place * step), half = pen.measureText(text).width / 2;
            pen.fillText(text, Math.min(x, layout.left + layout.width + layout.right - half - 2), height - 8);
          }
        }

        function drawLabels(rowHeight) {
          pen.textAlign = "right";
          pen.fillStyle = colors.text;
          const every = roundUp(14 / rowHeight);
          for (let row = Math.ceil(view.top / every) * every; row < Math.min(view.bottom, rows.length); row += every) {
            const y = yOf(row) + Math.max(Math.min(rowHeight, 24), 10) / 2 + 4;
            if (y > layout.top + layout.height + 4) break;
            pen.fillText(shortened(rankLabel(rows[row]), layout.left - 12), layout.left - 8, y);
          }
        }

        // Returns the smallest of 1, 2, 5, 10, 20 and so on that is not below the value.
        function roundUp(value) {
          if (value <= 1) return 1;
          const power = 10 ** Math.floor(Math.log10(value));
          return [1, 2, 5, 10].map(factor => factor * power).find(step => step >= value);
        }

        // Draws rows that are high enough to be visible: a band for the rank's time, with blocks in it.
        function drawRows(rowHeight) {
          const band = Math.min(rowHeight * 0.8, 40), inset = band > 10 ? 2 : band > 5 ? 1 : 0;
          for (let row = Math.floor(view.top); row < Math.min(Math.ceil(view.bottom), rows.length); row += 1) {
            const {blocks, lost} = rows[row], y = yOf(row);
            const end = lost ? lost[1] : whole.to;
            pen.fillStyle = colors.panel;
            pen.fillRect(xOf(0), y, xOf(end) - xOf(0), band);
            pen.fillStyle = colors.work;
            for (let place = 0; place < blocks.size; place += 1) {
              if (blocks.end[place] < view.from || blocks.start[place] > view.to) continue;
              const x = xOf(blocks.start[place]), span = xOf(blocks.end[place]) - x;
              // Leaves a gap between two blocks if there is room for one.
              const width = Math.max(span > 4 ? span - 1 : span, 0.6), spent = blocks.end[place] - blocks.start[place];
              pen.globalAlpha = spent > 0 ? 0.25 + 0.75 * blocks.work[place] / spent : 1;
              pen.fillRect(x, y + inset, width, band - 2 * inset);
              if (blocks.failed[place] > 0) {
                // If the block also has other examples, only its foot is striped.
                const height = blocks.count[place] === 1 ? band : Math.max(band * 0.35, 3);
                pen.globalAlpha = 1;
                drawFailed(x, y + band - height, width, height);
                pen.fillStyle = colors.work;
              }
            }
            pen.globalAlpha = 1;
            if (lost) drawLost(xOf(lost[0]), y, Math.max(xOf(lost[1]) - xOf(lost[0]), 4), band);
          }
        }

        // Draws very many rows as cells. Each cell shows how busy several rows were: the stronger its colour, the busier.
        function drawCells() {
          const down = Math.floor(layout.height / 4), across = Math.floor(layout.width / 2);
          const [perRow, perTime] = [down / (view.bottom - view.top), across / (view.to - view.from)];
          const busy = new Float64Array(down * across), lost = new Uint8Array(down * across), ranks = new Uint32Array(down);
          const spread = (row, start, end, body) => {
            const line = Math.floor((row - view.top) * perRow);
            const [from, to] = [(start - view.from) * perTime, (end - view.from) * perTime];
            if (line < 0 || line >= down || to < 0 || from > across) return;
            const last = Math.min(Math.floor(to), across - 1);
            for (let column = Math.max(Math.floor(from), 0); column <= last; column += 1) {
              body(line * across + column, Math.min(to, column + 1) - Math.max(from, column));
            }
          };
          for (let row = Math.floor(view.top); row < Math.min(Math.ceil(view.bottom), rows.length); row += 1) {
            const blocks = rows[row].blocks;
            ranks[Math.min(Math.max(Math.floor((row - view.top) * perRow), 0), down - 1)] += 1;
            for (let place = 0; place < blocks.size; place += 1) {
              const [start, end] = [blocks.start[place], blocks.end[place]];
              if (end < view.from || start > view.to) continue;
              const part = end > start ? blocks.work[place] / (end - start) : 1;
              spread(row, start, end, (cell, share) => { busy[cell] += part * share; });
            }
            if (rows[row].lost) spread(row, rows[row].lost[0], rows[row].lost[1], cell => { lost[cell] = 1; });
          }
          // Draws a pixel for each cell, then enlarges all of them at once.
          const tile = document.createElement("canvas");
          [tile.width, tile.height] = [across, down];
          const tilePen = tile.getContext("2d"), dots = tilePen.createImageData(across, down);
          const [work, loss] = [colors.work, colors.lost].map(color => parseInt(color.slice(1), 16));
          for (let cell = 0; cell < busy.length; cell += 1) {
            const isLoss = lost[cell] > 0, color = isLoss ? loss : work, line = Math.floor(cell / across);
            // Time lost is striped here too.
            const alpha = isLoss ? (cell % across + line) % 3 === 0 ? 1 : 0.25 : Math.min(busy[cell] / (ranks[line] || 1), 1);
            dots.data.set([color >> 16, color >> 8 & 255, color & 255, 255 * alpha], 4 * cell);
          }
          tilePen.putImageData(dots, 0, 0);
          pen.imageSmoothingEnabled = false;
          pen.drawImage(tile, layout.left, layout.top, layout.width, layout.height);
          // Failures that are not listed are known only by their blocks.
          if (data.failed === data.failures.length) return;
          for (let row = Math.floor(view.top); row < Math.min(Math.ceil(view.bottom), rows.length); row += 1) {
            const blocks = rows[row].blocks;
            for (let place = 0; place < blocks.size; place += 1) {
              if (blocks.failed[place] > 0) drawFailed(xOf(blocks.start[place]), yOf(row), 3, 4);
            }
          }
        }

        function drawFailed(x, y, width, height) {
          pen.fillStyle = colors.hatch;
          pen.fillRect(x, y, Math.max(width, 3), height);
          pen.strokeStyle = colors.failed;
          pen.lineWidth = 1;
          pen.strokeRect(x + 0.5, y + 0.5, Math.max(width, 3) - 1, height - 1);
        }

        function drawLost(x, y, width, height) {
          pen.fillStyle = colors.dots;
          pen.fillRect(x, y, width, height);
          pen.strokeStyle = colors.lost;
          pen.lineWidth = 2;
          pen.beginPath();
          pen.moveTo(x + width - 1, y);
          pen.lineTo(x + width - 1, y + height);
          pen.stroke();
        }

        function drawMark(mark, rowHeight) {
          if (mark.end < view.from || mark.start > view.to || mark.row + 1 < view.top || mark.row > view.bottom) return;
          const x = xOf(mark.start), width = Math.max(xOf(mark.end) - x, 3);
          const height = Math.max(Math.min(rowHeight * 0.8, 40), 4), y = yOf(mark.row);
          if (mark.kind === "failed") return drawFailed(x, y, width, height);
          pen.strokeStyle = colors.text;
          pen.lineWidth = 1.5;
          pen.strokeRect(x + 0.75, y + 0.75, Math.max(width - 1.5, 2), height - 1.5);
        }

        function drawFocus(rowHeight) {
          const {row, start, end} = span(focus);
          const x = xOf(start), width = Math.max(xOf(end) - x, 4), y = yOf(row), height = Math.max(Math.min(rowHeight * 0.8, 40), 6);
          for (const [color, line, grow] of [[colors.back, 5, 2], [colors.text, 2.5, 2]]) {
            pen.strokeStyle = color;
            pen.lineWidth = line;
            pen.strokeRect(x - grow, y - grow, width + 2 * grow, height + 2 * grow);
          }
        }

        function showLegend() {
          const entry = (name, paint) => {
            const small = make("canvas", {width: "56", height: "28", "aria-hidden": "true"});
            small.style.width = "28px";
            small.style.height = "14px";
            const smallPen = small.getContext("2d");
            smallPen.scale(2, 2);
            paint(smallPen);
            return make("li", {}, small, name);
          };
          const filled = color => pen => { pen.fillStyle = color; pen.fillRect(0, 1, 28, 12); };
          const entries = [entry("at work (fainter: a part of the time)", filled(colors.work)), entry("idle", pen => {
            filled(colors.panel)(pen);
            pen.strokeStyle = colors.line;
            pen.strokeRect(0.5, 1.5, 27, 11);
          })];
          if (sum(rows, row => row.failed) > 0) entries.push(entry("failed (striped)", filled(colors.hatch)));
          if (marks.longest.length > 0) entries.push(entry("one of the longest (framed)", pen => {
            filled(colors.work)(pen);
            pen.strokeStyle = colors.text;
            pen.lineWidth = 1.5;
            pen.strokeRect(0.75, 1.75, 26.5, 10.5);
          }));
          if (totals.lost > 0) entries.push(entry("lost (striped, ends with a line)", pen => {
            filled(colors.dots)(pen);
            pen.fillStyle = colors.lost;
            pen.fillRect(26, 1, 2, 12);
          }));
          at("legend").replaceChildren(...entries);
        }

        function repaint() {
          readColors();
          showLegend();
          draw();
        }

        """#

    /// Handles the reader's input.
    static let timelineInput = #"""
        function say(text, isHeard) {
          at("details").setAttribute("aria-live", isHeard ? "polite" : "off");
          at("details").textContent = text;
        }
        const hint = "Point at a block, or go to one with the arrow keys, and what it was stands here.";

        // Returns what is under a point of the chart.
        function thingAt(x, y) {
          const row = rowAt(y), time = timeAt(x);
          if (row < 0 || row >= rows.length || x < layout.left || y > layout.top + layout.height) return null;
          const near = (view.to - view.from) / layout.width * 3, tall = (view.bottom - view.top) / layout.height * 3;
          const mark = [...marks.failed, ...marks.longest].find(mark => Math.abs(mark.row - row) <= tall - 1 + 1e-9
            || mark.row === row ? mark.start - near <= time && time <= mark.end + near : false);
          if (mark) return {mark};
          const {lost, blocks} = rows[row];
          if (lost && lost[0] < time && time <= lost[1]) return {row, lost};
          if (blocks.size === 0) return null;
          const block = blockAt(row, time);
          return blocks.start[block] - near <= time && time <= blocks.end[block] + near ? {row, block} : null;
        }

        function setFocus(thing) {
          focus = thing;
          reveal(thing);
          say(describe(thing), true);
        }

        function focusRow(row, moment) {
          for (; row >= 0 && row < rows.length; row += row < focusedRow() ? -1 : 1) {
            if (rows[row].blocks.size > 0) return setFocus({row, block: blockAt(row, moment)});
          }
        }
        const focusedRow = () => focus ? span(focus).row : -1;

        // Goes to the mark after the one that has the focus, or before it.
        function stepMark(list, step) {
          if (list.length === 0) return say("There is none.", true);
          const place = focus && focus.mark ? list.indexOf(focus.mark) : -1;
          const next = place < 0 ? (step > 0 ? 0 : list.length - 1) : (place + step + list.length) % list.length;
          setFocus({mark: list[next]});
        }

        function goAcross(step) {
          if (!focus) return focusRow(Math.floor(view.top), view.from);
          const {row, start} = span(focus);
          const block = focus.mark ? blockAt(row, start) : focus.block;
          const next = Math.min(Math.max(block + step, 0), rows[row].blocks.size - 1);
          if (next >= 0) setFocus({row, block: next});
        }

        function goDown(step) {
          if (!focus) return focusRow(Math.floor(view.top), view.from);
          const {row, start, end} = span(focus);
          focusRow(row + step, (start + end) / 2);
        }

        const middleOfFocus = () => focus ? (span(focus).start + span(focus).end) / 2 : undefined;
        const keys = {
          ArrowLeft: () => goAcross(-1), ArrowRight: () => goAcross(1), ArrowUp: () => goDown(-1), ArrowDown: () => goDown(1),
          Home: () => goAcross(-Infinity), End: () => goAcross(Infinity),
          f: () => stepMark(marks.failed, 1), F: () => stepMark(marks.failed, -1),
          l: () => stepMark(marks.longest, 1), L: () => stepMark(marks.longest, -1),
          "+": () => zoomTime(2, middleOfFocus()), "=": () => zoomTime(2, middleOfFocus()), "-": () => zoomTime(0.5, middleOfFocus()),
          "0": () => setView(0, whole.to, 0, whole.bottom),
        };
        const keysWithShift = {
          ArrowLeft: () => move(-0.25, 0), ArrowRight: () => move(0.25, 0), ArrowUp: () => move(0, -0.25),
          ArrowDown: () => move(0, 0.25),
        };

        chart.addEventListener("keydown", event => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          const action = (event.shiftKey && keysWithShift[event.key]) || keys[event.key];
          if (!action) return;
          event.preventDefault();
          action();
        });

        let drag = null;
        const place = event => {
          const box = canvas.getBoundingClientRect();
          return [event.clientX - box.left, event.clientY - box.top];
        };

        chart.addEventListener("pointerdown", event => {
          if (event.button !== 0) return;
          const [x, y] = place(event);
          drag = {x, y, ...view, hasMoved: false};
          chart.setPointerCapture(event.pointerId);
        });

        chart.addEventListener("pointermove", event => {
          const [x, y] = place(event);
          if (drag) {
            if (Math.abs(x - drag.x) + Math.abs(y - drag.y) > 3) drag.hasMoved = true;
            if (!drag.hasMoved) return;
            const across = (drag.x - x) / layout.width * (drag.to - drag.from);
            const down = (drag.y - y) / layout.height * (drag.bottom - drag.top);
            return setView(drag.from + across, drag.to + across, drag.top + down, drag.bottom + down);
          }
          const thing = thingAt(x, y);
          say(thing ? describe(thing) : focus ? describe(focus) : hint, false);
        });

        chart.addEventListener("pointerup", event => {
          const [x, y] = place(event), thing = drag && !drag.hasMoved ? thingAt(x, y) : null;
          drag = null;
          if (thing && !thing.lost) setFocus(thing);
        });
        chart.addEventListener("pointercancel", () => { drag = null; });
        chart.addEventListener("dblclick", event => zoomTime(2, timeAt(place(event)[0])));
        chart.addEventListener("wheel", event => {
          if (!event.ctrlKey && !event.metaKey) return;
          event.preventDefault();
          const [x, y] = place(event), factor = 2 ** (-event.deltaY / 240);
          if (event.shiftKey) zoomRanks(factor, rowAt(y)); else zoomTime(factor, timeAt(x));
        }, {passive: false});

        function showTools() {
          const tool = (sign, name, action) => {
            const button = make("button", {type: "button", "aria-label": name, title: name}, sign);
            button.addEventListener("click", action);
            at("tools").append(button);
          };
          tool("+", "Zoom in", () => zoomTime(2, middleOfFocus()));
          tool("−", "Zoom out", () => zoomTime(0.5, middleOfFocus()));
          tool("←", "Earlier", () => move(-0.5, 0));
          tool("→", "Later", () => move(0.5, 0));
          if (rows.length > 24) {
            tool("fewer ranks", "Show fewer ranks", () => zoomRanks(2, focus ? focusedRow() + 0.5 : undefined));
            tool("more ranks", "Show more ranks", () => zoomRanks(0.5));
            tool("↑", "Ranks before", () => move(0, -0.5));
            tool("↓", "Ranks behind", () => move(0, 0.5));
          }
          tool("all", "Show all of it", () => setView(0, whole.to, 0, whole.bottom));
          if (marks.failed.length > 0) tool("next failure", "Go to the next failure", () => stepMark(marks.failed, 1));
        }

        chart.setAttribute("aria-label", `Timeline of ${count(rows.length, "rank")} over ${duration(data.length / 1e6)}`);
        say(hint, false);
        showTools();
        window.addEventListener("resize", redraw);
        for (const query of ["(prefers-color-scheme: dark)", "print"]) {
          window.matchMedia(query).addEventListener("change", repaint);
        }
        window.addEventListener("beforeprint", repaint);
        window.addEventListener("afterprint", repaint);
        repaint();

        """#
}
