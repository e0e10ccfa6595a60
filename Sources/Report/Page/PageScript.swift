/// The script of a page, in parts: plain JavaScript, which all current browsers run unchanged.
///
/// Data of the job is put onto the page as text only, never as markup.
enum PageScript {
    /// All parts, in order.
    static let parts = [tools, summary, lengths, timelineView, timelineDrawing, timelineInput, tables, plan]

    /// Functions that the other parts use.
    private static let tools = #"""
        const data = JSON.parse(document.getElementById("data").textContent);
        const at = id => document.getElementById(id);
        const began = Date.parse(data.began);
        const sum = (list, value) => list.reduce((total, item) => total + value(item), 0);

        // Makes an element with attributes and children. A string among the children becomes text.
        function make(tag, attributes, ...children) {
          const element = document.createElement(tag);
          for (const name in attributes) element.setAttribute(name, attributes[name]);
          element.append(...children.filter(child => child !== null && child !== undefined));
          return element;
        }

        function shape(tag, attributes, ...children) {
          const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
          for (const name in attributes) element.setAttribute(name, attributes[name]);
          element.append(...children);
          return element;
        }

        const numbers = new Intl.NumberFormat("en");
        const number = value => numbers.format(value);
        const count = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
        const percent = share => `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;
        const three = value => String(Number(value.toPrecision(3)));

        // Returns a length of time as text. It is given in seconds.
        function duration(seconds) {
          if (seconds < 1e-9) return "0 s";
          if (seconds < 9.995e-4) return `${three(seconds * 1e6)} µs`;
          if (seconds < 0.9995) return `${three(seconds * 1e3)} ms`;
          if (seconds < 59.95) return `${three(seconds)} s`;
          const whole = Math.round(seconds), two = value => String(value).padStart(2, "0");
          const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
          if (hours === 0) return `${minutes} min ${two(whole % 60)} s`;
          return `${number(hours)} h ${two(minutes)} min`;
        }

        function bytes(value) {
          const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
          let unit = 0;
          for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
          return `${three(value)} ${units[unit]}`;
        }

        // Times are shown in the reader's time zone. They are given in microseconds since the beginning of the job.
        const dates = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "long"});
        const clocks = new Intl.DateTimeFormat(undefined, {
          hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23"});
        const date = time => dates.format(began + time / 1000);
        const clock = time => clocks.format(began + time / 1000);

        // Makes a table. Each column has a name, a function that makes its cells, and a kind if it holds numbers or long text.
        function table(caption, columns, items) {
          const kind = column => column.kind ? {class: column.kind} : {};
          const head = make("tr", {}, ...columns.map(column =>
            make("th", {scope: "col", ...kind(column)}, column.name)));
          const body = items.map(item => make("tr", {}, ...columns.map((column, place) =>
            make(place === 0 ? "th" : "td", {...(place === 0 ? {scope: "row"} : {}), ...kind(column)},
              ...[column.cell(item)].flat()))));
          return make("div", {class: "wide", role: "region", "aria-label": caption, tabindex: "0"},
            make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...body)));
        }

        const rows = data.rows.map(row => ({...row, host: row.host < 0 ? "" : data.hosts[row.host]}));
        const hasHosts = data.hosts.length > 1;
        const rankName = row => hasHosts && row.host ? `rank ${row.rank} (${row.host})` : `rank ${row.rank}`;
        // Hosts are shown by the first part of their names if these parts differ and no name begins with a digit.
        const firstPart = host => host.split(".")[0];
        const areShort = new Set(data.hosts.map(firstPart)).size === data.hosts.length && !data.hosts.some(host => /^\d/.test(host));
        const rankLabel = row => rankName(areShort ? {...row, host: firstPart(row.host)} : row);
        const exampleName = example => example.loop ? `${example.number} of ${example.loop}`
          : example.number > 0 ? number(example.number) : "not in the latest list";
        const busyShare = (work, ranks) => data.length > 0 ? Math.min(work / (ranks * data.length), 1) : 0;

        """#

    private static let summary = #"""
        const totals = {
          done: sum(rows, row => row.count) - sum(rows, row => row.failed), work: sum(rows, row => row.work),
          ranks: new Set(rows.map(row => row.rank)).size, lost: rows.filter(row => row.lost).length,
        };

        function showSummary() {
          document.title = `${data.title}: report of a job`;
          at("title").textContent = data.title;
          at("subtitle").textContent = `${count(totals.done, "example")} on ${count(totals.ranks, "rank")} in `
            + duration(data.length / 1e6);
          if (data.reason !== null) {
            at("reason").textContent = data.reason;
            at("reason").hidden = false;
          }
          const list = at("summary");
          const add = (name, value, more) => list.append(make("div", {}, make("dt", {}, name),
            make("dd", {}, value, more ? make("span", {class: "more"}, more) : null)));
          add("Outcome", data.reason !== null ? "Ended before all was done" : data.enough ? "Its script had enough"
            : data.failed > 0 ? `Done, but ${count(data.failed, "example")} failed` : "All is done");
          const known = [data.total !== null ? `of ${number(data.total)}` : null,
            data.earlier > 0 ? `${number(data.earlier)} were done before` : null].filter(Boolean);
          add("Examples", `${number(totals.done)} done, ${number(data.failed)} failed`, known.join("; "));
          add("Began", date(0));
          add("Ended", date(data.length), `after ${duration(data.length / 1e6)}`);
          const hosts = data.hosts.length > 0 ? ` on ${count(data.hosts.length, "host")}` : "";
          add("Ranks", count(totals.ranks, "rank") + hosts, totals.lost > 0 ? `${number(totals.lost)} lost` : "");
          add("At work", `${percent(busyShare(totals.work, rows.length))} of the time`,
            `${duration(totals.work / 1e6)} on all ranks together`);
          const lengths = data.lengths;
          if (lengths) {
            add("An example took", `${duration(lengths.least)} to ${duration(lengths.most)}`,
              `${duration(lengths.median)} in the middle`);
          }
          const measured = rows.filter(row => "cpu" in row);
          if (measured.length > 0) add("Processor time", duration(sum(measured, row => row.cpu) / 1e6));
          const held = rows.filter(row => "memory" in row);
          if (held.length > 0) add("Memory", `${bytes(Math.max(...held.map(row => row.memory)))} at most on a rank`);
          for (const [name, value] of data.facts) add(name, value);
          at("footer").textContent = "Written by dlp-lua. Times are in the zone of this computer.";
        }
        showSummary();

        """#

    private static let lengths = #"""
        // Returns the distance between round numbers on a scale that has at most `most` of them.
        function roundStep(span, most) {
          const power = 10 ** Math.floor(Math.log10(span / most));
          return [1, 2, 5, 10].map(factor => factor * power).find(step => span / step <= most);
        }

        function showLengths() {
          const lengths = data.lengths;
          if (!lengths) return at("lengths").append(make("p", {}, "No example has been measured."));
          const bars = lengths.bars, scale = lengths.logarithmic ? Math.log10 : value => value;
          const width = Math.min(Math.max(at("lengths").clientWidth, 320), 900);
          const [height, left, right, top, bottom] = [260, 64, 16, 12, 44];
          const [low, high] = [scale(bars[0][0]), scale(bars[bars.length - 1][1])];
          const x = value => left + (scale(value) - low) / (high - low) * (width - left - right);
          const most = Math.max(...bars.map(bar => bar[2]));
          const some = Math.min(...bars.map(bar => bar[2]).filter(value => value > 0));
          // If one number is more than 200 times another, only a logarithmic scale shows both.
          const isDeep = most > 200 * some;
          const part = value => value === 0 ? 0 : isDeep ? Math.log10(2 * value) / Math.log10(2 * most) : value / most;
          const y = value => height - bottom - part(value) * (height - top - bottom);
          const picture = shape("svg", {viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true"});
          const label = (text, attributes) => picture.append(shape("text", attributes, text));
          const levels = [];
          if (isDeep) for (let level = 1; level <= most; level *= 10) levels.push(level);
          else for (let level = 0, step = Math.max(roundStep(most, 5), 1); level <= most; level += step) levels.push(level);
          for (const level of levels.filter((_, place) => levels.length < 7 || place % 2 === 0)) {
            picture.append(shape("path", {class: "line", d: `M${left} ${y(level)}H${width - right}`}));
            label(number(level), {x: left - 6, y: y(level) + 4, "text-anchor": "end"});
          }
          for (const [from, to, value] of bars) {
            if (value === 0) continue;
            const bar = shape("rect", {class: "bar", x: x(from) + 0.5, width: Math.max(x(to) - x(from) - 1, 1),
              y: Math.min(y(value), height - bottom - 2), height: Math.max(height - bottom - y(value), 2)});
            bar.append(shape("title", {}, `${duration(from)} to ${duration(to)}: ${count(value, "example")}`));
            picture.append(bar);
          }
          const ticks = [];
          if (lengths.logarithmic) {
            for (let power = Math.ceil(low - 0.001); power <= high + 0.001; power += 1) ticks.push(10 ** power);
          } else {
            const step = roundStep(high - low, Math.floor(width / 95));
            for (let place = Math.ceil(low / step - 0.001); place * step <= high * 1.0001; place += 1) ticks.push(place * step);
          }
          for (const tick of ticks) {
            picture.append(shape("path", {class: "line", d: `M${x(tick)} ${height - bottom}v5`}));
            label(duration(tick), {x: x(tick), y: height - bottom + 18, "text-anchor": "middle"});
          }
          const scales = [lengths.logarithmic ? "time" : null, isDeep ? "number" : null].filter(Boolean);
          const note = scales.length > 0 ? ` (logarithmic: ${scales.join(" and ")})` : "";
          label(width < 600 ? `time${note}` : `time for an example, and how many took it${note}`,
            {x: left + (width - left - right) / 2, y: height - 8, "text-anchor": "middle", class: "soft"});
          const words = `Half of ${count(lengths.count, "example")} took ${duration(lengths.median)} or less, nine of ten `
            + `${duration(lengths.p90)}, 99 of a hundred ${duration(lengths.p99)}; the longest ${duration(lengths.most)}, `
            + `all together ${duration(lengths.sum)}.`;
          at("lengths").append(make("p", {}, words),
            make("figure", {role: "img", "aria-label": `Distribution of the lengths${note}. ${words}`}, picture),
            make("details", {}, make("summary", {}, "The same as a table"),
              table("How many examples took how long", [
                {name: "from", kind: "number", cell: bar => duration(bar[0])},
                {name: "to", kind: "number", cell: bar => duration(bar[1])},
                {name: "examples", kind: "number", cell: bar => number(bar[2])},
              ], bars.filter(bar => bar[2] > 0))),
            make("p", {class: "note"}, "Short examples are reported many at a time; each then counts with its part of "
              + "their time. With --chunk 1 each has its own."));
        }
        showLengths();

        """#

    private static let tables = #"""
        // Returns a column if any item has the value, and nothing otherwise.
        const where = (items, name, column) => items.some(item => name in item) ? [column] : [];

        function commonColumns(items) {
          return [
            ...where(items, "input", {name: "input", kind: "text", cell: item => item.input ? make("code", {}, item.input) : ""}),
            {name: "rank", kind: "number", cell: item => number(item.rank)},
            ...(hasHosts ? [{name: "host", cell: item => item.host}] : []),
            {name: "ended", kind: "number", cell: item => clock(item.end)},
            ...where(items, "memory", {name: "memory", kind: "number", cell: item => "memory" in item ? bytes(item.memory) : ""}),
          ];
        }

        function took(item) {
          if (!("took" in item)) return "unknown";
          return item.together ? `${duration(item.took)}, mean of ${number(item.together)}` : duration(item.took);
        }

        function showLongest() {
          const items = data.longest;
          if (items.length === 0) return at("longest").append(make("p", {}, "No example has been measured."));
          at("longest").append(table(`The ${items.length === 1 ? "longest example" : `${items.length} longest examples`}`, [
            {name: "example", kind: "number", cell: exampleName},
            {name: "took", kind: "number", cell: took},
            ...commonColumns(items),
            ...where(items, "alone", {name: "alone", kind: "text", cell: item => item.alone ? make("code", {}, item.alone) : ""}),
          ], items));
        }

        function showFailures() {
          const items = data.failures;
          if (data.failed === 0) return at("failures").append(make("p", {}, "No example failed."));
          const rest = data.failed - items.length;
          at("failures").append(table(`${count(data.failed, "example")} that failed${rest > 0 ? `, the first ${number(items.length)}` : ""}`, [
            {name: "example", kind: "number", cell: exampleName},
            {name: "why", kind: "text", cell: item => [
              make("pre", {}, item.message || ""),
              item.traceback ? make("details", {}, make("summary", {}, "Traceback"), make("pre", {}, item.traceback)) : null,
              item.alone ? make("p", {class: "note"}, "Alone: ", make("code", {}, item.alone)) : null]},
            {name: "took", kind: "number", cell: took},
            ...(items.some(item => item.attempts > 1) ? [{name: "attempts", kind: "number", cell: item => number(item.attempts)}] : []),
            ...commonColumns(items),
          ], items));
        }

        function share(work, ranks) {
          const part = busyShare(work, ranks), bar = make("span", {class: "part"});
          bar.style.width = `${100 * part}%`;
          return make("div", {class: "share"}, make("span", {class: "all", "aria-hidden": "true"}, bar),
            make("span", {class: "percent"}, percent(part)));
        }

        const useColumns = (items, ranks) => [
          {name: "at work", cell: item => share(item.work, ranks(item))},
          {name: "worked", kind: "number", cell: item => duration(item.work / 1e6)},
          ...where(items, "cpu", {name: "processor", kind: "number", cell: item => "cpu" in item ? duration(item.cpu / 1e6) : ""}),
          ...where(items, "memory", {name: "memory", kind: "number", cell: item => "memory" in item ? bytes(item.memory) : ""}),
          {name: "examples", kind: "number", cell: item => number(item.count - item.failed)},
          {name: "failed", kind: "number", cell: item => number(item.failed)},
        ];

        function showHosts() {
          const hosts = data.hosts.map(name => {
            const own = rows.filter(row => row.host === name);
            const host = {name, ranks: own.length, lost: own.filter(row => row.lost).length};
            for (const key of ["work", "count", "failed"]) host[key] = sum(own, row => row[key]);
            if (own.some(row => "cpu" in row)) host.cpu = sum(own, row => row.cpu || 0);
            if (own.some(row => "memory" in row)) host.memory = Math.max(...own.map(row => row.memory || 0));
            return host;
          });
          if (hosts.length > 0) {
            at("hosts").append(table("Use of each host", [
              {name: "host", cell: host => host.name},
              {name: "ranks", kind: "number", cell: host => number(host.ranks)},
              ...useColumns(hosts, host => host.ranks),
              ...(totals.lost > 0 ? [{name: "lost", kind: "number", cell: host => number(host.lost)}] : []),
            ], hosts));
          }
        }

        function showRanks() {
          const makeTable = () => table("Use of each rank", [
            {name: "rank", kind: "number", cell: row => number(row.rank)},
            ...(data.hosts.length > 0 ? [{name: "host", cell: row => row.host}] : []),
            ...useColumns(rows, () => 1),
            ...(totals.lost > 0 ? [{name: "lost", kind: "text", cell: row => row.lost ? row.lost[2] : ""}] : []),
          ], rows);
          if (rows.length <= 64) return at("ranks").append(makeTable());
          const shares = rows.map(row => busyShare(row.work, 1)).sort((one, other) => one - other);
          at("ranks").append(make("p", {}, `The least busy of ${count(rows.length, "rank")} was at work `
            + `${percent(shares[0])} of the time, the one in the middle ${percent(shares[shares.length >> 1])}, the busiest `
            + `${percent(shares[shares.length - 1])}.`));
          const lost = rows.filter(row => row.lost);
          if (lost.length > 0) {
            at("ranks").append(table("Ranks that were lost", [
              {name: "rank", kind: "number", cell: row => number(row.rank)},
              ...(data.hosts.length > 0 ? [{name: "host", cell: row => row.host}] : []),
              {name: "when", kind: "number", cell: row => clock(row.lost[1])},
              {name: "why", kind: "text", cell: row => row.lost[2]},
            ], lost));
          }
          // A long table is made only when the reader opens it.
          const all = make("details", {}, make("summary", {}, `All ${count(rows.length, "rank")}`));
          all.addEventListener("toggle", () => all.append(makeTable()), {once: true});
          at("ranks").append(all);
        }

        showLongest();
        showFailures();
        showHosts();
        showRanks();

        // On paper nothing can be opened, so failures are opened before printing.
        window.addEventListener("beforeprint", () => {
          for (const closed of document.querySelectorAll("#failures details")) closed.open = true;
        });

        """#
}
