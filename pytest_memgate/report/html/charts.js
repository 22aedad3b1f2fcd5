// The other figures of a finding: the phases of a page, the parts of a value, its samples, its trend.

const MOST_BARS = 12;
const PHASES = ["time to first byte", "load delay", "load time", "render delay"];

function phasesFigure(finding, theme) {
  const { before, after } = profile(finding);
  const sides = [["After", after, finding.value], before && ["Before", before, finding.base]].filter(Boolean);
  const names = [...PHASES, ...after.map((leaf) => leaf.way.join("/"))].filter((one, at, all) => all.indexOf(one) === at);
  const data = names.map((name, at) => {
    const of = sides.map(([, leaves]) => leaves.find((leaf) => leaf.way.join("/") === name) || { amount: 0 });
    const texts = of.map((leaf) => said(leaf.amount, leaf.about, finding.unit));
    return {
      type: "bar",
      orientation: "h",
      name: inert(name),
      x: of.map((leaf) => leaf.amount),
      y: sides.map(([side, , sum]) => `${side}  ${inert(amount(sum, finding.unit))}`),
      text: texts.map(inert),
      textposition: "inside",
      insidetextanchor: "middle",
      constraintext: "inside",
      marker: { color: theme.series[at % theme.series.length], line: { width: 1, color: theme.ground } },
      hovertext: texts.map((text) => lines([name, text])),
      hovertemplate: "%{hovertext}<extra></extra>",
    };
  });
  const most = Math.max(...sides.map(([, , sum]) => sum));
  return {
    data,
    layout: layout(theme, 90 + 44 * sides.length, {
      barmode: "stack",
      bargap: 0.35,
      xaxis: axis(theme, 0, most * 1.01, finding.unit, 5),
      yaxis: { fixedrange: true, automargin: true, ticksuffix: "  " },
      showlegend: true,
      legend: { orientation: "h", y: -0.25, traceorder: "normal", itemclick: false, itemdoubleclick: false },
      uniformtext: { minsize: 11, mode: "hide" },
      margin: { l: 8, r: 12, t: 8, b: 8 },
    }),
  };
}

function barsFigure(finding, theme, narrow) {
  const parts = (finding.more.parts || []).slice(0, MOST_BARS).toReversed();
  const names = parts.map((part) => `${inert(short(label(part), narrow ? 22 : 44))}\u00a0\u00a0`);
  const side = (name, key, colour) => ({
    type: "bar",
    orientation: "h",
    name,
    x: parts.map((part) => part[key] || 0),
    y: parts.map((_, at) => at),
    marker: { color: colour },
    hovertext: parts.map((part) => lines([label(part), `${name} ${amount(part[key] || 0, finding.unit)}`])),
    hovertemplate: "%{hovertext}<extra></extra>",
  });
  const both = parts.some((part) => part.base !== undefined);
  const data = [side("After", "head", theme.series[0]), both && side("Before", "base", theme.still)].filter(Boolean);
  const most = Math.max(...parts.flatMap((part) => [part.head, part.base || 0])) || 1;
  return {
    data,
    layout: layout(theme, 80 + 34 * parts.length, {
      barmode: "group",
      xaxis: axis(theme, 0, most * 1.05, finding.unit, narrow ? 4 : 5),
      yaxis: { tickvals: names.map((_, at) => at), ticktext: names, fixedrange: true, automargin: true },
      showlegend: both,
      legend: { orientation: "h", y: -0.15, traceorder: "reversed", itemclick: false, itemdoubleclick: false },
    }),
  };
}

// Baseline, anchor and budget as lines across a chart of values.
function bounds(finding, theme, along) {
  const found = [
    ["baseline", finding.base, theme.quiet],
    ["anchor", finding.more.anchor, theme.quiet],
    ["budget", finding.base !== undefined && finding.allowed !== undefined ? finding.base + finding.allowed : undefined, theme.bad],
  ].filter(([, at]) => at !== undefined);
  const place = (at) => (along === "x" ? { x0: at, x1: at, yref: "paper", y0: 0, y1: 1 } : { y0: at, y1: at, xref: "paper", x0: 0, x1: 1 });
  const top = Math.max(...found.map(([, at]) => at));
  const mark = (at) =>
    along === "x"
      ? { x: at, xanchor: at === top ? "left" : "right", yref: "paper", y: 1, yanchor: "bottom" }
      : { y: at, yanchor: at === top ? "bottom" : "top", xref: "paper", x: 0, xanchor: "left" };
  return {
    values: found.map(([, at]) => at),
    shapes: found.map(([, at, color]) => ({ type: "line", ...place(at), line: { color, width: 1, dash: "dash" }, layer: "below" })),
    annotations: found.map(([text, at, color]) => ({
      ...mark(at),
      text,
      showarrow: false,
      font: { color, size: 11 },
    })),
  };
}

function spread(values) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = (high - low) * 0.12 || Math.abs(high) * 0.1 || 1;
  return [Math.max(low - pad, low >= 0 ? 0 : -Infinity), high + pad];
}

function samplesFigure(finding, theme, narrow) {
  const { more } = finding;
  const named = more.samples && more.samples.length
    ? [["second collection", more.again], ["samples", more.samples]]
    : [["run again", more.warm], ["first run", more.cold ? [more.cold] : []]];
  const rows = named.filter(([, values]) => values && values.length);
  const lined = bounds(finding, theme, "x");
  const [low, high] = spread([...rows.flatMap(([, values]) => values), ...lined.values]);
  const data = rows.map(([name, values], at) => ({
    type: "box",
    orientation: "h",
    name,
    x: values,
    y0: at,
    boxpoints: "all",
    jitter: values.length > 3 ? 0.5 : 0,
    pointpos: 0,
    line: { width: 1, color: values.length > 2 ? theme.quiet : "rgba(0,0,0,0)" },
    fillcolor: "rgba(0,0,0,0)",
    marker: { color: theme.series[0], size: 7, opacity: 0.8 },
    hoveron: "points",
    text: values.map((value) => inert(amount(value, finding.unit))),
    hovertemplate: "%{text}<extra></extra>",
  }));
  return {
    data,
    layout: layout(theme, 70 + 56 * rows.length, {
      xaxis: axis(theme, low, high, finding.unit, narrow ? 4 : 6),
      yaxis: { tickvals: rows.map((_, at) => at), ticktext: rows.map(([name]) => `${name}\u00a0\u00a0`), fixedrange: true, automargin: true, zeroline: false, showgrid: false },
      shapes: lined.shapes,
      annotations: lined.annotations,
      margin: { l: 8, r: 12, t: 24, b: 8 },
    }),
  };
}

function trendFigure(finding, theme, narrow) {
  const values = finding.more.trend;
  const lined = bounds(finding, theme, "y");
  const [low, high] = spread([...values.filter((value) => value !== null), ...lined.values]);
  const runs = values.map((_, at) => at + 1);
  const marks = ticks(1, values.length, narrow ? 4 : 10).filter((mark) => Number.isInteger(mark));
  return {
    data: [
      {
        type: "scatter",
        mode: "lines+markers",
        x: runs,
        y: values,
        line: { color: theme.series[0], width: 2 },
        marker: { size: 7, color: theme.series[0] },
        hovertext: values.map((value, at) => (value === null ? "" : `run ${at + 1}: ${inert(amount(value, finding.unit))}`)),
        hovertemplate: "%{hovertext}<extra></extra>",
      },
    ],
    layout: layout(theme, 260, {
      xaxis: { tickvals: marks, title: { text: "run, the last is this one", font: { size: 12 } }, range: [0.5, values.length + 0.5], fixedrange: true, gridcolor: theme.line, zeroline: false, color: theme.quiet },
      yaxis: axis(theme, low, high, finding.unit, 5),
      shapes: lined.shapes,
      annotations: lined.annotations,
      margin: { l: 8, r: 12, t: 12, b: 44 },
    }),
  };
}
