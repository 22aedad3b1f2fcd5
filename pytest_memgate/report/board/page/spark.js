// Small pictures: the shape of a series, a letter a place by height, a space where nothing is known.

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SPARK = { width: 90, height: 22, pad: 2 };

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function sparkline(text) {
  const { width, height, pad } = SPARK;
  const places = Math.min(30, index.commits.length);
  const x = (at) => (pad + (places > 1 ? (at / (places - 1)) * (width - 2 * pad) : 0)).toFixed(1);
  const y = (letter) => (height - pad - (LETTERS.indexOf(letter) / (LETTERS.length - 1)) * (height - 2 * pad)).toFixed(1);
  const parts = [];
  let run = [];
  const close = () => {
    if (run.length === 1) parts.push(svg("circle", { cx: run[0][0], cy: run[0][1], r: 1.5 }));
    if (run.length > 1) parts.push(svg("polyline", { points: run.map((point) => point.join(",")).join(" ") }));
    run = [];
  };
  [...text].forEach((letter, at) => (letter === " " ? close() : run.push([x(at), y(letter)])));
  close();
  return svg("svg", { class: "spark", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, ...parts);
}
