// The site at work: the page that the address names.

const ROOMS = ["overview", "list", "series", "compare", "bundles"];
let turn = 0;

function at(text, otherwise) {
  const found = index.commits.findIndex(([id]) => text && id.startsWith(text));
  return found < 0 ? otherwise : found;
}

async function route() {
  const [room, value = ""] = location.hash.slice(1).split("=");
  const mine = (turn += 1);
  const isShown = () => mine === turn; // false once the reader has gone on
  clearCharts();
  const series = byId.get(value.split("@")[0]);
  const known = ROOMS.includes(room) && (room !== "series" || series);
  open(known ? room : "overview", series);
  const page = document.getElementById(`page-${known ? room : "overview"}`);
  const last = index.commits.length - 1;
  try {
    if (known && room === "series") await showSeries(series, page, isShown);
    if (known && room === "compare") {
      const [from, to] = value.split("..");
      await showCompare(page, at(from, Math.max(0, last - 10)), at(to, last), isShown);
    }
    if (known && room === "bundles") await showModules(page, series, value.includes("@") ? at(value.split("@")[1]) : undefined, isShown);
  } catch (error) {
    if (isShown()) page.replaceChildren(make("p", { role: "alert" }, `This page cannot be shown: ${error.message}.`));
    console.warn(error);
  }
  if (isShown() && location.hash) page.querySelector("h2[tabindex]")?.focus({ preventScroll: true });
}

function open(room, series) {
  for (const name of ROOMS) {
    const page = document.getElementById(`page-${name}`);
    page.hidden = name !== room;
    if (!["overview", "list"].includes(name)) page.replaceChildren();
  }
  for (const link of document.querySelectorAll("#rooms a")) {
    if (link.dataset.room === room) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const names = { overview: "Overview", list: "All series", compare: "Two commits", bundles: "Bundles" };
  document.title = `${series && room === "series" ? `${series.name} ${series.metric}` : names[room] || ""} · memgate`;
  scrollTo(0, 0);
}

addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/u.test(event.target.tagName || "");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    location.hash = "#list";
    setTimeout(() => document.getElementById("search").focus(), 0);
  }
});

addEventListener("DOMContentLoaded", () => {
  readIndex();
  for (const place of document.querySelectorAll("[data-spark]")) {
    const series = byId.get(place.dataset.spark);
    if (series) place.append(sparkline(series.spark));
  }
  buildList();
  filterList();
  addEventListener("hashchange", route);
  route();
  document.documentElement.dataset.ready = "yes";
  preparePlotly();
});
