// What a bundle is made of, over time: a treemap of its modules, a slider over the commits where they changed.

async function showModules(article, series, position, isShown) {
  const bundles = all.filter((one) => one.family === "bundle" && one.hasSites);
  const title = make("h2", { id: "bundles-title", tabindex: "-1" }, "Bundles");
  if (!bundles.length) {
    article.replaceChildren(title, make("p", { class: "quiet" }, "No bundle with modules has been measured."));
    return;
  }
  const shown = series && series.hasSites ? series : bundles[0];
  if (!bundles.includes(shown)) bundles.unshift(shown);
  const chart = await chartOf(shown);
  if (!isShown()) return;
  const steps = chart.steps.filter((step) => step.hasSites && step.value !== null);
  const options = bundles.map((one) => make("option", { value: one.id, selected: one === shown }, `${one.name} ${one.metric}${index.places.length > 1 ? `, ${one.environment}` : ""}`));
  const select = make("select", { id: "bundle", "aria-label": "Bundle", change: () => { location.hash = `#bundles=${select.value}`; } }, options);
  const start = Math.max(0, steps.findLastIndex((step) => step.position <= (position ?? Infinity)));
  const slider = make("input", { type: "range", id: "moment", min: "0", max: String(steps.length - 1), value: String(start), "aria-label": "Commit at which the modules changed" });
  const said = make("p", { id: "moment-text", role: "status" });
  const element = make("div", { class: "chart", id: "modules", role: "img", "aria-label": "Treemap of the modules; the list below says what grew" });
  const told = make("div", { id: "swelled" });
  const back = (by) => make("button", { type: "button", click: () => { slider.value = String(Number(slider.value) + by); move(); } }, by < 0 ? "Earlier" : "Later");
  const move = () => {
    const step = steps[Number(slider.value)];
    const before = steps[Number(slider.value) - 1];
    slider.setAttribute("aria-valuetext", commitText(step.position).short);
    const { short: id, title: about, author, day } = commitText(step.position);
    said.replaceChildren(make("span", { class: "metric" }, id), ` ${about} `, make("span", { class: "file" }, [author, day].filter(Boolean).join(", ")));
    told.replaceChildren(...swelled(shown, step, before));
    return draw([{ element, figure: modulesFigure(shown, step, before) }]);
  };
  slider.addEventListener("input", move);
  article.replaceChildren(
    title,
    make("div", { class: "filters" }, select, make("a", { href: `#series=${shown.id}` }, "its chart")),
    make("div", { class: "slide" }, back(-1), slider, back(1)),
    said,
    element,
    make("p", { class: "caption" }, make("i", { class: "key of-grew" }), "grew at this commit", make("i", { class: "key of-shrank" }), "shrank", make("i", { class: "key" }), "the same"),
    told,
  );
  await move();
}

function modulesFigure(series, step, before) {
  return (theme, narrow) => {
    const leaves = [...step.sites].map(([name, amount]) => {
      const was = before ? before.sites.get(name) || 0 : amount;
      return { way: way({ path: name }), amount, part: { name, growth: amount - was }, change: amount > was ? "grew" : amount < was ? "shrank" : "still" };
    });
    const rest = step.value - leaves.reduce((sum, leaf) => sum + leaf.amount, 0);
    if (rest > step.value * 1e-6) leaves.push({ way: ["everything else"], amount: rest, part: null, change: "still" });
    const nodes = tree(leaves, "all");
    const paint = { grew: theme.grew, shrank: theme.shrank, still: theme.still, inner: theme.inner };
    return {
      data: [
        {
          type: "treemap",
          branchvalues: "total",
          ids: nodes.map((node) => node.id || "all"),
          labels: nodes.map((node) => inert(short(node.label, 40))),
          parents: nodes.map((node) => (node.parent === null ? "" : node.parent || "all")),
          values: nodes.map((node) => node.all),
          text: nodes.map((node) => inert(amount(node.all, series.unit))),
          texttemplate: "%{label}  %{text}",
          hovertext: nodes.map((node) => lines([node.label, amount(node.all, series.unit), node.part && node.part.growth ? growth(node.part.growth, series.unit) : ""].filter(Boolean))),
          hovertemplate: "%{hovertext}<extra></extra>",
          marker: { colors: nodes.map((node) => paint[node.change]), line: { width: 1, color: theme.ground } },
          textfont: { color: nodes.map((node) => (["grew", "shrank"].includes(node.change) ? "#ffffff" : theme.text)) },
          pathbar: { visible: false },
          tiling: { pad: 1 },
          sort: true,
        },
      ],
      layout: layout(theme, narrow ? 340 : 440, { margin: { l: 0, r: 0, t: 0, b: 0 }, uniformtext: { minsize: 11, mode: "hide" } }),
    };
  };
}

function swelled(series, step, before) {
  if (!before) return [make("p", { class: "quiet" }, "The first known state: nothing to compare with.")];
  const grown = siteGrowth(before.sites, step.sites);
  const rows = grown.slice(0, 15).map((one) => [make("span", { class: "metric" }, one.name), one.before ? amount(one.before, series.unit) : "new", one.after ? amount(one.after, series.unit) : "gone", make("span", { class: one.growth > 0 ? "grew" : "shrank" }, growth(one.growth, series.unit))]);
  const parts = [make("h3", {}, `What changed: ${growth(step.value - before.value, series.unit)}`), plainTable("Modules that changed", ["module", "#before", "#after", "#difference"], rows)];
  const up = grown.filter((one) => one.growth > 0).slice(0, 6);
  if (up.length) parts.push(make("h3", {}, "The same as a Mermaid diagram"), command(mermaid(series, step, before, up)));
  return parts;
}

function mermaid(series, step, before, up) {
  const entry = /\[(.*)\]$/u.exec(series.metric)?.[1] || series.name;
  const heads = [`  n0["${node(entry)}<br>${node(growth(step.value - before.value, series.unit))}"]`];
  up.forEach((one, at) => heads.push(`  n${at + 1}["${node(one.name.replace(/^node_modules\//u, ""))}<br>${node(growth(one.growth, series.unit))}"]`));
  return ["flowchart LR", ...heads, ...up.map((_, at) => `  n0 --> n${at + 1}`)].join("\n");
}

// Mermaid's own entities for all that could end a text.
function node(text) {
  return text.replace(/[^\p{L}\p{N}_ ./+()-]/gu, (mark) => `#${mark.codePointAt(0)};`);
}
