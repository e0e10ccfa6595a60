extension PageScript {
    /// The curve of the plan.
    static let plan = #"""
        function showPlan() {
          const points = data.plan;
          if (points.length < 2) return;
          at("plan-section").hidden = false;
          const work = points[0][0] * points[0][1], used = totals.ranks;
          const ideal = ([ranks]) => [ranks, work / ranks];
          const width = Math.min(Math.max(at("plan").clientWidth, 320), 900);
          const [height, left, right, top, bottom] = [260, 64, 24, 16, 44];
          const [few, many] = [points[0][0], points[points.length - 1][0]];
          const times = points.map(point => point[1]), slowest = Math.max(...times), quickest = Math.max(Math.min(...times) / 2, slowest / 1e6);
          const x = ranks => left + Math.log(ranks / few) / Math.log(many / few) * (width - left - right);
          const y = time => height - bottom - Math.max(Math.log(time / quickest) / Math.log(slowest / quickest), 0) * (height - top - bottom);
          const picture = shape("svg", {viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true"});
          const label = (text, attributes) => picture.append(shape("text", attributes, text));
          for (let power = Math.ceil(Math.log10(quickest)); power <= Math.log10(slowest); power += 1) {
            const level = 10 ** power;
            picture.append(shape("path", {class: "line", d: `M${left} ${y(level)}H${width - right}`}));
            label(duration(level), {x: left - 6, y: y(level) + 4, "text-anchor": "end"});
          }
          const every = Math.ceil(points.length / Math.max(Math.floor((width - left - right) / 55), 1));
          points.forEach(([ranks], place) => {
            if (place % every !== 0) return;
            picture.append(shape("path", {class: "line", d: `M${x(ranks)} ${height - bottom}v5`}));
            label(number(ranks), {x: x(ranks), y: height - bottom + 18, "text-anchor": "middle"});
          });
          const way = list => list.map(([ranks, time], place) => `${place > 0 ? "L" : "M"}${x(ranks)} ${y(time)}`).join("");
          const seen = points.map(ideal).filter(point => point[1] >= quickest);
          picture.append(shape("path", {class: "ideal", d: way(seen)}), shape("path", {class: "curve", d: way(points)}));
          for (const [ranks, time] of points) {
            const dot = shape("circle", {class: "dot", cx: x(ranks), cy: y(time), r: 4});
            dot.append(shape("title", {}, `${count(ranks, "rank")}: ${duration(time)}`));
            picture.append(dot);
          }
          label(width < 600 ? "ranks, time (logarithmic); dashed: all busy"
            : "ranks, and how long the job takes (both logarithmic); dashed: if all were busy all the time",
            {x: left + (width - left - right) / 2, y: height - 8, "text-anchor": "middle", class: "soft"});
          const best = Math.min(...times), useful = points.find(point => point[1] <= best * 1.05);
          const words = `This job had ${count(used, "rank")}. By the lengths of its examples it takes ${duration(points[0][1])} on `
            + `${count(few, "rank")}, and ${duration(useful[1])} on ${number(useful[0])}; more would shorten it by less than 5 %.`;
          at("plan").append(make("p", {}, words),
            make("figure", {role: "img", "aria-label": `Time by number of ranks. ${words}`}, picture),
            make("details", {}, make("summary", {}, "The same as a table"),
              table("How long the job takes on how many ranks", [
                {name: "ranks", kind: "number", cell: point => number(point[0])},
                {name: "time", kind: "number", cell: point => duration(point[1])},
                {name: "efficiency", kind: "number", cell: point => percent(Math.min(work / (point[0] * point[1]), 1))},
              ], points)),
            make("p", {class: "note"}, "The schedule in simulated time, with these lengths, without the start of the ranks. "
              + "dlp-lua --plan says more, by a journal."));
        }
        showPlan();

        """#
}
