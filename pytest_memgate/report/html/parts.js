// What a value is made of, before and after, as leaves of a tree: callers and call sites, folders and modules.

const MOST_NAMED = 10; // parts that moved; where there are fewer, the others moved by less than 2 % of the growth

function family(metric) {
  return metric.split(".")[0];
}

function label(part) {
  if (!part.function) return part.path;
  return part.line ? `${part.path}:${part.line} in ${part.function}` : `${part.path} in ${part.function}`;
}

function change(part) {
  if (part.base === undefined) return "still";
  return part.head > part.base ? "grew" : part.head < part.base ? "shrank" : "still";
}

// A part's place in the tree, the outermost first.
function way(part) {
  if (part.function) return [...(part.via || []).toReversed(), label(part)];
  const inPackages = part.path.startsWith("node_modules/");
  const at = inPackages ? "node_modules".length : part.path.lastIndexOf("/", part.path.length - 2);
  return at > 0 ? [part.path.slice(0, at), part.path.slice(at + 1)] : [part.path];
}

function total(parts, key) {
  return parts.reduce((sum, part) => sum + part[key], 0);
}

// The leaves before and after, in the same order; before is null where the run does not know it.
function profile(finding) {
  const parts = finding.more.parts || [];
  const moved = parts.filter((part) => part.base !== undefined);
  const still = parts.filter((part) => part.base === undefined);
  const leaf = (part, amount) => ({ way: way(part), amount, part, change: change(part) });
  const other = (amount) => ({ way: ["everything else"], amount, part: null, change: "still" });
  const after = parts.map((part) => leaf(part, part.head));
  const rest = finding.value - total(parts, "head");
  if (rest > finding.value * 1e-6) after.push(other(rest));
  if (finding.base === undefined || !moved.length) return { before: null, after };
  const before = moved.map((part) => leaf(part, part.base));
  const restBefore = finding.base - total(moved, "base");
  if (restBefore > finding.base * 1e-6) {
    const known = moved.length < MOST_NAMED ? still : [];
    // What is not known to have moved is drawn as it is after, and said to be about that.
    const share = Math.min(1, restBefore / total(known, "head"));
    before.push(...known.map((part) => ({ ...leaf(part, part.head * share), about: true })));
    const left = restBefore - total(known, "head") * share;
    if (left > finding.base * 1e-6) before.push(other(left));
  }
  return { before: before.filter((one) => one.amount > 0), after: after.filter((one) => one.amount > 0) };
}

// The nodes of a tree from its leaves; an inner node's own amount is what it has beside its children.
function tree(leaves, root) {
  const nodes = new Map([["", { id: "", label: root, parent: null, own: 0, all: 0, change: "inner" }]]);
  for (const leaf of leaves) {
    let id = "";
    leaf.way.forEach((name, depth) => {
      const parent = id;
      id = `${id}\n${name}`;
      if (!nodes.has(id)) nodes.set(id, { id, label: name, parent, depth: depth + 1, own: 0, all: 0, change: "inner" });
    });
    Object.assign(nodes.get(id), { own: nodes.get(id).own + leaf.amount, part: leaf.part, change: leaf.change });
    for (let at = id; at !== null; at = nodes.get(at).parent) {
      nodes.get(at).all += leaf.amount;
      nodes.get(at).about ||= leaf.about;
    }
  }
  return [...nodes.values()];
}
