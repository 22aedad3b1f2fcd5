// The site's data: scripts that hand a text over, since a page opened from a file may fetch nothing.

const arrived = new Map();
const asked = new Map();

globalThis.memgateData = (name, text) => arrived.set(name, JSON.parse(text));

function script(path) {
  if (!asked.has(path)) {
    asked.set(
      path,
      new Promise((done, failed) => {
        document.head.append(make("script", { src: path, load: done, error: () => failed(new Error(`${path} is missing`)) }));
      }),
    );
  }
  return asked.get(path);
}

async function load(name) {
  if (!arrived.has(name)) await script(`data/${name}.js`);
  return arrived.get(name);
}

let index = null;
let all = []; // every series
const byId = new Map();

function readIndex() {
  index = arrived.get("index");
  const { files, metrics, places, series } = index;
  all = (series.id || []).map((id, at) => {
    const [metric, unit, kind] = metrics[series.metric[at]];
    const [environment, machine] = places[series.place[at]];
    const level = amounts(series.last[at]);
    const start = series.start[at];
    const growth = level.value === null || start === null ? undefined : level.value - start;
    return {
      id, at, metric, unit, environment, machine, start, growth,
      ...level,
      file: files[series.file[at]],
      name: series.name[at],
      family: kind,
      place: series.place[at],
      use: series.use[at],
      noise: series.noise[at],
      moves: series.moves[at],
      spark: series.spark[at],
      hasSites: Boolean(series.sites[at]),
      ratio: growth === undefined || !start ? undefined : growth / start,
    };
  });
  for (const one of all) byId.set(one.id, one);
}

// A number is a value, a list of one a bound, null neither.
function amounts(level) {
  return Array.isArray(level) ? { value: null, bound: level[0] } : { value: level, bound: null };
}

function levelText({ value, bound }, unit) {
  if (value !== null && value !== undefined) return amount(value, unit);
  return bound === null || bound === undefined ? "gone" : `at most ${amount(bound, unit)}`;
}

// A chart as it was before it was packed: each step whole, each lane and change by names.
async function chartOf(series) {
  const raw = (await load(`charts/${series.id.slice(0, 2)}`))[series.id];
  const names = raw.n || [];
  let more = { budget: null, anchor: null, baseline: null, spread: null, reason: null };
  let sites = new Map();
  let before = null;
  const steps = raw.s.map(([position, level, changed]) => {
    const { sites: moved, ...rest } = changed || {};
    more = { ...more, ...rest };
    const grown = [];
    if (moved) {
      const old = sites;
      sites = new Map(sites);
      for (let at = 0; at < moved.length; at += 2) {
        const name = names[moved[at]];
        if (moved[at + 1]) sites.set(name, moved[at + 1]);
        else sites.delete(name);
        grown.push({ name, growth: moved[at + 1] - (old.get(name) || 0), before: old.get(name) || 0, after: moved[at + 1] });
      }
      grown.sort((one, two) => Math.abs(two.growth) - Math.abs(one.growth));
    }
    const step = { position, ...amounts(level), ...more, sites, grown, hasSites: Boolean(moved), moved: false };
    step.moved = !before || before.value !== step.value || before.bound !== step.bound;
    step.before = before;
    before = step;
    return step;
  });
  return {
    steps,
    ranges: index.measured[raw.m],
    lanes: (raw.l || []).map(([name, points]) => ({ name, points: points.map(([position, level, commit, time]) => ({ position, ...amounts(level), commit, time })) })),
    changes: (raw.c || []).map(([position, from, old, after, atLeast, state, reason, ended, id]) => ({ position, from, before: old, after, atLeast, state, reason, ended, id })),
  };
}

// The step that holds at each measured position, null between positions that are not neighbours.
function held(chart, first) {
  const found = [];
  let at = -1;
  for (let range = 0; range < chart.ranges.length; range += 2) {
    if (found.length) found.push(null);
    for (let position = Math.max(first, chart.ranges[range]); position <= chart.ranges[range + 1]; position += 1) {
      while (at + 1 < chart.steps.length && chart.steps[at + 1].position <= position) at += 1;
      if (at >= 0) found.push({ position, step: chart.steps[at] });
    }
  }
  return found;
}

function stepAt(chart, position) {
  let found = null;
  for (const step of chart.steps) if (step.position <= position) found = step;
  return found;
}

function commitText(position) {
  const [id, author, time, title] = index.commits[position] || ["", "", "", ""];
  return { id, short: id.slice(0, 8), author, day: time.slice(0, 10), title };
}

function commitCell(position) {
  const { short: id, author, day, title: said } = commitText(position);
  return [make("span", { class: "metric" }, id), " ", said, make("span", { class: "file" }, [author, day].filter(Boolean).join(", "))];
}
