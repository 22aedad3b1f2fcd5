// The profile of a finding before and after: callers and call sites, or packages and their modules.

const HEAD = 24; // pixels for the words above a side
const HIGH = 340; // pixels of a treemap
const FLAT = { margin: { l: 0, r: 0, t: 0, b: 0 }, uniformtext: { minsize: 11, mode: "hide" } };

function profileFigure(finding, theme, narrow) {
  const { before, after } = profile(finding);
  const isCalls = family(finding.metric) === "memory" || after.some((leaf) => leaf.part && leaf.part.function);
  const sides = [before && ["Before", before, finding.base], ["After", after, finding.value]].filter(Boolean);
  const trees = sides.map(([, leaves]) => tree(leaves, "all"));
  const sums = sides.map(([, , sum]) => sum);
  const depth = Math.max(...trees.flat().map((node) => node.depth || 0)) + 1;
  const boxes = isCalls ? asBroad(sums, depth * 32) : narrow ? asHigh(sums) : beside(sums);
  const height = Math.max(...boxes.map((box) => box.bottom));
  const fraction = (pixels) => 1 - pixels / height;
  const data = trees.map((nodes, at) => {
    const { x, top, bottom } = boxes[at];
    const domain = { x, y: [fraction(bottom), fraction(top)] };
    return trace(nodes, isCalls ? "icicle" : "treemap", domain, finding, theme);
  });
  const annotations = sides.map(([name, , sum], at) => ({
    text: `${name} ${inert(amount(sum, finding.unit))}`,
    xref: "paper",
    yref: "paper",
    x: boxes[at].x[0] && Math.max(boxes[at].x[0], 0.16), // beside a small neighbour's
    y: fraction(boxes[at].top),
    xanchor: "left",
    yanchor: "bottom",
    showarrow: false,
  }));
  return { data, layout: layout(theme, height, { ...FLAT, annotations }) };
}

// One above the other, a byte as broad here as there.
function asBroad(sums, each) {
  const most = Math.max(...sums);
  return sums.map((sum, at) => {
    const top = (each + HEAD) * at + HEAD;
    return { x: [0, Math.max(sum / most, 0.01)], top, bottom: top + each };
  });
}

// One above the other, a byte as high here as there.
function asHigh(sums) {
  const all = sums.reduce((one, two) => one + two, 0);
  let from = 0;
  return sums.map((sum) => {
    const top = from + HEAD;
    from = top + Math.max((sum / all) * HIGH * sums.length, 4);
    return { x: [0, 1], top, bottom: from };
  });
}

// Side by side, a byte as large here as there.
function beside(sums) {
  const all = sums.reduce((one, two) => one + two, 0);
  let from = 0;
  return sums.map((sum, at) => {
    const x = [from, from + Math.max(sum / all, 0.01)];
    from = x[1];
    return { x: at + 1 < sums.length ? [x[0], x[1] - 0.005] : [x[0], 1], top: HEAD, bottom: HEAD + HIGH };
  });
}

function trace(nodes, type, domain, finding, theme) {
  const paint = { grew: theme.grew, shrank: theme.shrank, still: theme.still, inner: theme.inner };
  return {
    type,
    domain,
    ids: nodes.map((node) => node.id || "all"),
    labels: nodes.map((node) => inert(short(type === "icicle" ? functionOf(node.label) : node.label, 48))),
    parents: nodes.map((node) => (node.parent === null ? "" : node.parent || "all")),
    values: nodes.map((node) => node.own),
    text: nodes.map((node) => (node.parent === null ? "" : inert(said(node.all, node.about, finding.unit)))),
    texttemplate: "%{label}  %{text}",
    hovertext: nodes.map((node) => hover(node, finding)),
    hovertemplate: "%{hovertext}<extra></extra>",
    branchvalues: "remainder",
    sort: false,
    pathbar: { visible: false },
    ...(type === "icicle" ? { leaf: { opacity: 1 }, tiling: { orientation: "v", pad: 1 } } : { tiling: { pad: 2 } }),
    marker: { colors: nodes.map((node) => paint[node.change]), line: { width: 1, color: theme.ground } },
    root: { color: theme.inner },
    textposition: type === "icicle" ? "middle left" : "top left",
  };
}

// Of a call, its function: the file and the line are told where the mouse is, and in the table.
function functionOf(label) {
  const call = /^(.*?)(?::\d+)? in (.*)$/.exec(label);
  return !call ? label : call[2].startsWith("<") ? call[1].split("/").at(-1) : call[2];
}

function hover(node, finding) {
  const told = [node.label];
  if (node.part && node.part.base !== undefined) {
    const { base, head } = node.part;
    told.push(`${amount(base, finding.unit)} → ${amount(head, finding.unit)}: ${growth(head - base, finding.unit)}`);
  } else if (node.parent !== null) told.push(said(node.all, node.about, finding.unit));
  if (node.part) told.push(...(node.part.uses || []));
  return lines(told);
}

function said(value, about, unit) {
  return `${about ? "≈ " : ""}${amount(value, unit)}`;
}
