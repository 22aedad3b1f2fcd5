// The chart of a series: its line over the commits, bounds as hanging ticks, budget, anchor, bands, marks, changes, lanes.

const CHANGE = {
  confirmed: { symbol: "circle", paint: (change, theme) => (change.after > change.before ? theme.grew : theme.good) },
  acknowledged: { symbol: "diamond", paint: (_, theme) => theme.doubt },
  unconfirmed: { symbol: "circle-open", paint: (_, theme) => theme.quiet },
  refuted: { symbol: "x-thin-open", paint: (_, theme) => theme.quiet },
  ended: { symbol: "circle-open", paint: (_, theme) => theme.quiet },
};

function chartFigure(series, chart, { first, lanes }) {
  return (theme, narrow) => {
    const points = held(chart, first);
    const lined = valueLine(series, points, theme);
    const bounds = points.filter((point) => point && point.step.bound !== null);
    const budget = along(points, "budget");
    const anchor = along(points, "anchor");
    const beside = lanes ? chart.lanes.flatMap((lane) => lane.points.map((point) => ({ ...point, lane: lane.name }))).filter((point) => point.position >= first && point.value !== null) : [];
    const known = [lined.y, budget.y, anchor.y, bounds.map(({ step }) => step.bound), beside.map((point) => point.value)].flat().filter((value) => value !== null);
    const [low, high] = room(known);
    const last = Math.max(first + 1, index.commits.length - 1);
    const flat = { type: "scatter", mode: "lines", hoverinfo: "skip" };
    const data = [
      { ...flat, name: "anchor", ...anchor, line: { color: theme.quiet, width: 1, dash: "dot", shape: "hv" } },
      { ...flat, name: "budget", ...budget, line: { color: theme.bad, width: 1.5, dash: "dash", shape: "hv" } },
      { ...flat, name: "unmeasured", ...across(points), line: { color: theme.quiet, width: 1, dash: "dot" } },
      ticksOf(series, bounds, (high - low) / 14, theme),
      lined,
      laneDots(series, beside, theme),
      changeDots(series, chart.changes.filter((change) => change.position >= first), theme),
    ];
    const { shapes, annotations } = scenery(series, first, last, theme, narrow);
    return {
      data: data.filter((trace) => trace.x.length),
      layout: layout(theme, narrow ? 300 : 380, {
        xaxis: { ...commitAxis(first, last, narrow, theme), range: [first - 0.5, last + 0.5] },
        yaxis: axis(theme, low, high, series.unit, 6),
        hovermode: "closest",
        hoverdistance: 40,
        dragmode: false,
        shapes,
        annotations: [...annotations, ...endLabels(budget, anchor, theme)],
        margin: { l: 8, r: 14, t: 40, b: 34 },
      }),
    };
  };
}

function room(values) {
  if (!values.length) return [0, 1];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = Math.max((high - low) * 0.12, Math.abs(high) * 0.02) || 1;
  return [low >= 0 ? Math.max(0, low - pad) : low - pad, high + pad];
}

function valueLine(series, points, theme) {
  const alone = (at) => !points[at - 1] && !points[at + 1];
  return {
    type: "scatter",
    mode: "lines+markers",
    name: "value",
    x: points.map((point) => point && point.position),
    y: points.map((point) => point && point.step.value),
    line: { color: theme.series[0], width: 2, shape: "hv" },
    marker: {
      color: theme.series[0],
      line: { width: 0 },
      size: points.map((point, at) => (point && (alone(at) || (point.step.moved && point.step.position === point.position)) ? 6 : 0.1)),
    },
    hovertext: points.map((point) => (point ? hover(point.position, amount(point.step.value ?? 0, series.unit)) : "")),
    hovertemplate: "%{hovertext}<extra></extra>",
    connectgaps: false,
  };
}

// From the last value before commits that were not measured to the first one after them: it changed somewhere between.
function across(points) {
  const ends = points.flatMap((point, at) => (point === null ? [[points[at - 1], points[at + 1]]] : []));
  const values = ends.filter((pair) => pair.every((point) => point && point.step.value !== null));
  return {
    x: values.flatMap((pair) => [...pair.map((point) => point.position), null]),
    y: values.flatMap((pair) => [...pair.map((point) => point.step.value), null]),
    connectgaps: false,
  };
}

function hover(position, first, more) {
  const { short: id, author, day, title: said } = commitText(position);
  return lines([first, `${id} ${said}`, [author, day].filter(Boolean).join(", "), ...(more || [])].filter(Boolean));
}

// What is at most so much hangs from there: it is no value, and nothing joins it.
function ticksOf(series, bounds, length, theme) {
  return {
    type: "scatter",
    mode: "markers",
    name: "bound",
    x: bounds.map((point) => point.position),
    y: bounds.map((point) => point.step.bound),
    marker: { symbol: "line-ew", size: 7, color: theme.series[1], line: { width: 2, color: theme.series[1] } },
    error_y: { type: "data", symmetric: false, array: bounds.map(() => 0), arrayminus: bounds.map(({ step }) => Math.min(length, step.bound)), width: 0, thickness: 1, color: theme.series[1] },
    hovertext: bounds.map((point) => hover(point.position, `at most ${amount(point.step.bound, series.unit)}`)),
    hovertemplate: "%{hovertext}<extra></extra>",
  };
}

function along(points, key) {
  const known = points.filter((point) => !point || point.step[key] !== null);
  if (!known.some(Boolean)) return { x: [], y: [] };
  return { x: known.map((point) => point && point.position), y: known.map((point) => point && point.step[key]), connectgaps: true };
}

function endLabels(budget, anchor, theme) {
  return [["budget", budget, theme.bad], ["anchor", anchor, theme.quiet]]
    .filter(([, { x }]) => x.length)
    .map(([text, { y }, color]) => ({ text, x: 1, xref: "paper", xanchor: "right", y: y.at(-1), yanchor: "bottom", showarrow: false, font: { size: 11, color } }));
}

function laneDots(series, points, theme) {
  return {
    type: "scatter",
    mode: "markers",
    name: "beside",
    x: points.map((point) => point.position),
    y: points.map((point) => point.value),
    marker: { color: theme.quiet, size: 7, opacity: 0.45, line: { width: 0 } },
    hovertext: points.map((point) => lines([amount(point.value, series.unit), `${point.lane} ${point.commit}`, point.time.slice(0, 10)].filter(Boolean))),
    hovertemplate: "%{hovertext}<extra></extra>",
  };
}

function changeDots(series, changes, theme) {
  const paint = changes.map((change) => CHANGE[change.state].paint(change, theme));
  return {
    type: "scatter",
    mode: "markers",
    name: "change",
    x: changes.map((change) => change.position),
    y: changes.map((change) => change.after),
    marker: { color: paint, size: 11, symbol: changes.map((change) => CHANGE[change.state].symbol), line: { width: 1.5, color: paint } },
    hovertext: changes.map((change) => hover(change.position, `${growth(change.after - change.before, series.unit)}, ${change.state}`, [change.reason || change.ended])),
    hovertemplate: "%{hovertext}<extra></extra>",
  };
}

// Bands where the machine or the tools changed, lines at marks.
function scenery(series, first, last, theme, narrow) {
  const bands = index.bands[series.place];
  const changes = Array.isArray(bands) ? bands : [];
  const shapes = changes.flatMap(([position], at) => {
    const to = at + 1 < changes.length ? changes[at + 1][0] - 0.5 : last + 0.5;
    if (at % 2 || to < first) return [];
    return [{ type: "rect", xref: "x", yref: "paper", x0: Math.max(first, position) - 0.5, x1: to, y0: 0, y1: 1, fillcolor: theme.inner, opacity: 0.6, line: { width: 0 }, layer: "below" }];
  });
  const marks = index.marks.filter(([position]) => position >= first);
  for (const [position] of marks) {
    shapes.push({ type: "line", xref: "x", yref: "paper", x0: position, x1: position, y0: 0, y1: 1, line: { color: theme.accent, width: 1 }, layer: "below" });
  }
  const gap = (last - first) * (narrow ? 0.25 : 0.1); // that names need
  let free = -Infinity;
  const annotations = [];
  for (const [position, text] of marks.toReversed()) {
    if (free !== -Infinity && free - position < gap) continue;
    free = position;
    annotations.push({ text: inert(short(text, 16)), x: position, y: 1, yref: "paper", yanchor: "bottom", xanchor: position > (first + last) / 2 ? "right" : "left", showarrow: false, font: { size: 11, color: theme.accent } });
  }
  changes.filter(([position]) => position >= first).forEach(([position], at) => {
    annotations.push({ text: `${at + 1}`, x: position - 0.5, y: 0, yref: "paper", yanchor: "bottom", xanchor: "left", showarrow: false, font: { size: 11, color: theme.quiet } });
  });
  return { shapes, annotations };
}

function commitAxis(first, last, narrow, theme) {
  const marks = ticks(first, last, narrow ? 3 : 8).filter((mark) => Number.isInteger(mark) && index.commits[mark]);
  return {
    tickvals: marks,
    ticktext: marks.map((mark) => inert(`${commitText(mark).short}<br>`).replace("&lt;br&gt;", "<br>") + inert(commitText(mark).day)),
    tickangle: 0,
    fixedrange: true,
    showgrid: false,
    zeroline: false,
    color: theme.quiet,
    tickfont: { size: 11 },
  };
}
