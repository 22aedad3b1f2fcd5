// The page at work: its data read, the list or the finding that the address names shown.

const { outcomes, findings } = JSON.parse(document.getElementById("data").textContent);
let listed = findings;
let left = null; // where the reader was in the list

const byLink = new Map();
findings.forEach((one, at) => {
  const name = encodeURIComponent(`${one.file}::${one.name} ${one.metric}`).replaceAll("%2F", "/").replaceAll("%3A", ":");
  let link = `#finding=${name}`;
  for (let copy = 2; byLink.has(link); copy += 1) link = `#finding=${name}~${copy}`;
  byLink.set(link, one);
  Object.assign(one, {
    link,
    rank: at,
    tone: outcomes[one.outcome].tone,
    family: family(one.metric),
    growth: one.base === undefined || one.value === undefined ? undefined : one.value - one.base,
    text: `${one.file}::${one.name} ${one.metric} ${one.reason || ""}`.toLowerCase(),
  });
  one.ratio = one.growth !== undefined && one.base ? one.growth / one.base : undefined;
});

const title = document.title;

function route() {
  const finding = byLink.get(location.hash);
  const list = document.getElementById("list");
  const article = document.getElementById("finding");
  const cameFromList = !list.hidden;
  if (cameFromList && finding) left = { scroll: scrollY, link: finding.link };
  list.hidden = Boolean(finding);
  article.hidden = !finding;
  clearCharts();
  if (finding) {
    document.title = `${finding.name} ${finding.metric} · memgate`;
    showFinding(finding);
    scrollTo(0, 0);
    document.getElementById("finding-title").focus({ preventScroll: true });
    return;
  }
  article.replaceChildren();
  document.title = title;
  if (!cameFromList) comeBack();
}

function comeBack() {
  if (!left) return;
  scrollTo(0, left.scroll);
  const link = [...document.querySelectorAll("#rows .open")].find((one) => one.getAttribute("href") === left.link);
  if (link) link.focus({ preventScroll: true });
}

addEventListener("hashchange", route);
addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement;
  const isOpen = !document.getElementById("finding").hidden;
  if (event.key === "Escape" && isOpen) location.hash = "#findings";
  if (event.key === "/" && !typing && !isOpen && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    document.getElementById("search").focus();
  }
});

for (const one of document.querySelectorAll(".step .command")) one.replaceWith(command(one.textContent));
buildFilters();
buildTable();
showTable();
route();
document.documentElement.dataset.ready = "yes";
