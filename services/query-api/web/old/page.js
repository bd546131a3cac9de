// The first page: polls the API and keeps what is on screen up to date.
//
// What always holds: at most one poll is under way, and one begins at most once a second; the day of a site is asked for
// only while its row can be seen; whatever comes from outside is set as text, never as markup.

const SUMMARY_EVERY_MS = 2_000;
const ALERTS_EVERY_MS = 6_000;
const TICK_MS = 1_000;
const REQUEST_TIMEOUT_MS = 15_000;

// A poll that takes longer than this is followed by a rest of the same length.
const SLOW_POLL_MS = 500;

// Without a new reading for so long, the stream counts as quiet.
const QUIET_AFTER_MS = 60_000;

const ALERTS_SHOWN = 12;
const ROWS_SHOWN = 50;

const DAYS_AT_ONCE = 2;
const DAY_EVERY_MS = 60_000;
const DAY_MS = 86_400_000;
const DAY_RECORDS_MAX = 1_000;
const DAY_POINTS = 96;

// Readings a second are averaged over so long.
const RATE_OVER_MS = 20_000;

const element = (id) => document.getElementById(id);

const view = {
  summary: null,
  search: "",
  sort: { key: "site_id", isDescending: false },
  shown: ROWS_SHOWN,
  answeredAt: 0,
  isConnected: true,
  samples: [],
};

// ---- numbers, times and words

const numbers = new Map();

function number(value, fractionDigits) {
  if (!numbers.has(fractionDigits)) {
    const format = { maximumFractionDigits: fractionDigits, minimumFractionDigits: fractionDigits };
    numbers.set(fractionDigits, new Intl.NumberFormat(undefined, format));
  }
  return numbers.get(fractionDigits).format(value);
}

/** An energy in the unit that suits its size. */
function energy(kwh) {
  const units = [
    [1e6, "GWh"],
    [1e3, "MWh"],
    [1, "kWh"],
  ];
  const [size, unit] = units.find(([size]) => Math.abs(kwh) >= size * 10) ?? [1, "kWh"];
  const value = kwh / size;
  return `${number(value, Math.abs(value) >= 1_000 ? 0 : Math.abs(value) >= 100 ? 1 : 2)} ${unit}`;
}

const percent = (ratio) => (ratio === null ? "–" : `${number(ratio * 100, Math.abs(ratio) < 10 ? 1 : 0)} %`);

/** How long ago an instant was, or the date when that says more. */
function ago(instant) {
  const seconds = Math.round((Date.now() - Date.parse(instant)) / 1_000);
  if (seconds < 0) return new Date(instant).toLocaleString();
  if (seconds < 2) return "just now";
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 36 * 3_600) return `${Math.round(seconds / 3_600)} h ago`;
  if (seconds < 60 * 86_400) return `${Math.round(seconds / 86_400)} d ago`;
  return new Date(instant).toLocaleDateString();
}

/** A span of time in the unit that suits its length. */
function span(ms) {
  const units = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1_000, "s"],
  ];
  const [size, unit] = units.find(([size]) => ms >= size * 2 || ms === size) ?? [1, "ms"];
  return `${number(ms / size, ms % size && ms < size * 10 ? 1 : 0)} ${unit}`;
}

const inWords = (rule) => rule.replaceAll("_", " ");

/** Sets a text, and leaves the document alone when it stands there already. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// ---- asking the API

async function fetchOk(address) {
  const asked = token;
  const headers = asked ? { authorization: `Bearer ${asked}` } : {};
  const answer = await fetch(address, { headers, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  // An answer to an earlier token says nothing about the one of now.
  if (answer.status === 401 && asked === token) askForToken();
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer;
}

const ask = async (address) => (await fetchOk(address)).json();

const polls = [
  { address: "/summary", everyMs: SUMMARY_EVERY_MS, dueAt: 0, show: showSummary },
  { address: `/alerts?limit=${ALERTS_SHOWN}`, everyMs: ALERTS_EVERY_MS, dueAt: 0, show: showAlerts },
];
let isPolling = false;

/** Makes the poll that has been due for longest, unless one is under way or nobody looks. */
async function poll() {
  const now = Date.now();
  const due = polls.filter((poll) => poll.dueAt <= now).sort((one, other) => one.dueAt - other.dueAt)[0];
  if (isPolling || isLocked || document.hidden || !due) return;
  isPolling = true;
  try {
    due.show(await ask(due.address));
    view.answeredAt = Date.now();
    view.isConnected = true;
  } catch {
    view.isConnected = false;
  }
  const tookMs = Date.now() - now;
  due.dueAt = now + due.everyMs + (tookMs > SLOW_POLL_MS ? 2 * tookMs : 0);
  isPolling = false;
  showStatus();
}

// ---- access

const TOKEN_KEY = "wattstream-token";
let token = sessionStorage.getItem(TOKEN_KEY) ?? "";
let isLocked = false;

function keepToken(value) {
  token = value;
  if (token) sessionStorage.setItem(TOKEN_KEY, token);
  else sessionStorage.removeItem(TOKEN_KEY);
}

/** Puts the question for a token in the place of everything else, until it is answered. */
function askForToken() {
  say(element("refusal"), token ? "The process does not know this token." : "");
  keepToken("");
  setLocked(true);
  element("token").focus();
}

function setLocked(value) {
  isLocked = value;
  element("access").hidden = !isLocked;
  element("main").hidden = isLocked;
  element("forget").hidden = isLocked || !token;
  showEmptyCommand();
  showStatus();
}

element("access-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(element("token").value.trim());
  element("token").value = "";
  if (!token) return;
  setLocked(false);
  for (const poll of polls) poll.dueAt = 0;
  poll();
});

element("forget").addEventListener("click", () => {
  keepToken("");
  askForToken();
});

/** A link to data cannot carry a token: what is behind it is fetched with one, and shown in a tab of its own. */
async function followWithToken(event) {
  const link = event.target.closest("a.data");
  if (!token || !link || event.button > 1) return;
  event.preventDefault();
  try {
    const answer = await fetchOk(link.href);
    const address = URL.createObjectURL(await answer.blob());
    window.open(address, "_blank");
    setTimeout(() => URL.revokeObjectURL(address), REQUEST_TIMEOUT_MS);
  } catch {
    // The next poll will say that there is no connection.
  }
}

document.addEventListener("click", followWithToken);
document.addEventListener("auxclick", followWithToken);

// ---- the bar

function showStatus() {
  const status = element("status");
  const { isConnected, answeredAt, samples } = view;
  const newest = view.summary?.totals.last_seen;
  const changedAt = samples.findLast((sample) => sample.records !== samples.at(-1).records)?.at ?? samples[0]?.at;
  const quietMs = samples.length ? Date.now() - changedAt : 0;
  let [state, text] = ["live", newest ? `live, newest reading ${ago(newest)}` : "live, waiting for readings"];
  if (isLocked) [state, text] = ["locked", "asks for a token"];
  else if (!answeredAt) [state, text] = ["connecting", isConnected ? "connecting" : "no answer yet, retrying"];
  else if (!isConnected) [state, text] = ["disconnected", "disconnected, retrying"];
  else if (newest && quietMs > QUIET_AFTER_MS) {
    [state, text] = ["quiet", `quiet, newest reading ${ago(newest)}`];
  }
  status.dataset.state = state;
  say(element("announcement"), state);
  say(element("status-text"), text);
  element("main").classList.toggle("stale", state === "disconnected");
}

const THEMES = ["system", "light", "dark"];
const chosenTheme = () => localStorage.getItem("theme") ?? "system";

function showTheme() {
  document.documentElement.dataset.theme = chosenTheme();
  say(element("theme"), `Theme: ${chosenTheme()}`);
}

element("theme").addEventListener("click", () => {
  localStorage.setItem("theme", THEMES[(THEMES.indexOf(chosenTheme()) + 1) % THEMES.length]);
  showTheme();
});

// ---- totals

function showSummary(summary) {
  view.summary = summary;
  const hasSites = summary.site_count > 0;
  element("empty").hidden = hasSites;
  element("columns").hidden = !hasSites;
  showTotals(summary.totals);
  showRows();
}

function showTotals(totals) {
  say(element("generated"), energy(totals.energy_generated_kwh));
  say(element("consumed"), energy(totals.energy_consumed_kwh));
  say(element("net"), energy(totals.net_energy_kwh));
  say(element("efficiency"), percent(totals.efficiency));
  say(element("anomalies"), number(totals.anomalies, 0));
  const rules = Object.entries(totals.anomalies_by_rule).filter(([, count]) => count > 0);
  rules.sort(([, one], [, other]) => other - one);
  say(element("anomaly-rules"), rules.map(([rule, count]) => `${inWords(rule)} ${number(count, 0)}`).join(", "));
  say(element("readings"), number(totals.records, 0));
  say(element("rate"), rateOf(totals.records));
}

function rateOf(records) {
  const { samples } = view;
  if (samples.length && records < samples.at(-1).records) samples.length = 0;
  samples.push({ at: Date.now(), records });
  while (samples.length > 2 && samples[1].at < Date.now() - Math.max(RATE_OVER_MS, QUIET_AFTER_MS)) samples.shift();
  const first = samples.find((sample) => sample.at >= Date.now() - RATE_OVER_MS) ?? samples[0];
  const seconds = (samples.at(-1).at - first.at) / 1_000;
  if (seconds < 1) return "";
  const rate = (records - first.records) / seconds;
  return `${number(rate, rate > 0 && rate < 10 ? 1 : 0)} per second`;
}

// ---- sites

const rows = new Map();

function rowOf(siteId) {
  if (rows.has(siteId)) return rows.get(siteId);
  const path = encodeURIComponent(siteId);
  const name = make("th");
  name.scope = "row";
  const link = name.appendChild(make("a", "data", siteId));
  link.href = `/records/${path}`;
  link.title = siteId;
  const cell = (className, label) => {
    const cell = make("td", className);
    if (label) cell.dataset.label = label;
    return cell;
  };
  const row = {
    siteId,
    node: make("tr"),
    seen: cell("seen"),
    day: cell("day"),
    generated: cell("number", "Generated"),
    consumed: cell("number", "Consumed"),
    net: cell("number", "Net"),
    anomalies: cell("number", "Anomalies"),
    badge: make("a", "badge data"),
    isSeen: false,
    askedAt: 0,
    drawn: "",
    spanMs: DAY_MS,
  };
  row.badge.href = `/anomalies/${path}`;
  row.anomalies.append(row.badge);
  row.node.append(name, row.seen, row.day, row.generated, row.consumed, row.net, row.anomalies);
  row.node.dataset.site = siteId;
  rows.set(siteId, row);
  return row;
}

function chosenSites() {
  const { key, isDescending } = view.sort;
  const wanted = view.search.trim().toLowerCase();
  const sites = view.summary.sites.filter((site) => site.site_id.toLowerCase().includes(wanted));
  const direction = isDescending ? -1 : 1;
  const order = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
  return sites.sort((one, other) => direction * order(one[key], other[key]) || order(one.site_id, other.site_id));
}

function showRows() {
  if (!view.summary) return;
  const sites = chosenSites();
  const shown = sites.slice(0, view.shown);
  const body = element("rows");
  shown.forEach((site, index) => {
    const row = rowOf(site.site_id);
    fill(row, site);
    if (body.children[index] !== row.node) body.insertBefore(row.node, body.children[index] ?? null);
  });
  while (body.children.length > shown.length) body.lastElementChild.remove();
  for (const row of rows.values()) {
    if (row.node.isConnected && !row.isWatched) watcher.observe(row.node);
    if (!row.node.isConnected && row.isWatched) watcher.unobserve(row.node);
    row.isWatched = row.node.isConnected;
    row.isSeen &&= row.isWatched;
  }
  const all = view.summary.site_count;
  const found = sites.length === all ? `${number(all, 0)}` : `${number(sites.length, 0)} of ${number(all, 0)}`;
  say(element("sites-count"), found);
  element("none-found").hidden = sites.length > 0;
  element("more").hidden = sites.length <= shown.length;
  say(element("more"), `Show more (${number(sites.length - shown.length, 0)} left)`);
  drawDays();
}

function fill(row, site) {
  row.site = site;
  say(row.seen, site.last_seen ? ago(site.last_seen) : "–");
  row.seen.title = site.last_seen ?? "";
  say(row.generated, energy(site.energy_generated_kwh));
  say(row.consumed, energy(site.energy_consumed_kwh));
  say(row.net, energy(site.net_energy_kwh));
  row.net.title = `Efficiency: ${percent(site.efficiency)}`;
  say(row.badge, number(site.anomalies, 0));
  row.badge.classList.toggle("none", site.anomalies === 0);
  const rules = Object.entries(site.anomalies_by_rule).filter(([, count]) => count > 0);
  row.badge.title = rules.map(([rule, count]) => `${inWords(rule)}: ${number(count, 0)}`).join("\n");
}

function sortBy(key) {
  const { sort } = view;
  const isText = key === "site_id";
  sort.isDescending = sort.key === key ? !sort.isDescending : !isText;
  sort.key = key;
  showSort();
  showRows();
  remember();
}

function showSort() {
  for (const header of document.querySelectorAll("th[data-sort]")) {
    const isChosen = header.dataset.sort === view.sort.key;
    if (isChosen) header.setAttribute("aria-sort", view.sort.isDescending ? "descending" : "ascending");
    else header.removeAttribute("aria-sort");
  }
}

function searchFor(text) {
  view.search = text;
  view.shown = ROWS_SHOWN;
  showRows();
  remember();
}

for (const header of document.querySelectorAll("th[data-sort]")) {
  header.firstElementChild.addEventListener("click", () => sortBy(header.dataset.sort));
}
element("search").addEventListener("input", (event) => searchFor(event.target.value));
element("more").addEventListener("click", () => {
  view.shown += ROWS_SHOWN;
  showRows();
});

// ---- the address keeps search and order, so that it can be shared

function remember() {
  const address = new URL(location.href);
  const { search, sort } = view;
  const order = `${sort.isDescending ? "-" : ""}${sort.key}`;
  search ? address.searchParams.set("search", search) : address.searchParams.delete("search");
  order === "site_id" ? address.searchParams.delete("sort") : address.searchParams.set("sort", order);
  history.replaceState(null, "", address);
}

function recall() {
  const parameters = new URL(location.href).searchParams;
  view.search = parameters.get("search") ?? "";
  element("search").value = view.search;
  const order = parameters.get("sort") ?? "site_id";
  const key = order.replace(/^-/, "");
  const isKnown = [...document.querySelectorAll("th[data-sort]")].some((header) => header.dataset.sort === key);
  if (isKnown) view.sort = { key, isDescending: order.startsWith("-") };
  showSort();
}

// ---- the last day of each row that can be seen

const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) rowOf(entry.target.dataset.site).isSeen = entry.isIntersecting;
    drawDays();
  },
  { rootMargin: "200px" },
);
let daysUnderWay = 0;

function drawDays() {
  const now = Date.now();
  for (const row of rows.values()) {
    if (daysUnderWay >= DAYS_AT_ONCE || isLocked || document.hidden) return;
    const isDue = row.drawn !== row.site?.last_seen && now - row.askedAt >= DAY_EVERY_MS;
    if (row.isSeen && isDue && row.site.last_seen) drawDay(row);
  }
}

async function drawDay(row) {
  daysUnderWay += 1;
  row.askedAt = Date.now();
  const newest = row.site.last_seen;
  const start = new Date(Math.max(0, Date.parse(newest) - spanOf(row))).toISOString();
  try {
    const address = `/records/${encodeURIComponent(row.siteId)}?start=${start}&limit=${DAY_RECORDS_MAX}`;
    const page = await ask(address);
    if (page.next) {
      // More readings than expected: next time, a shorter time of them.
      const { records } = page;
      row.spanMs = 0.7 * (Date.parse(records.at(-1).timestamp) - Date.parse(records[0].timestamp));
      row.askedAt = 0;
    } else {
      row.drawn = newest;
      row.day.replaceChildren(picture(page.records));
    }
  } catch {
    // The next poll will say that there is no connection.
  }
  daysUnderWay -= 1;
  drawDays();
}

/** A day, or less for a site that sends more readings than fit on a page. */
function spanOf(row) {
  const { records, first_seen: first, last_seen: last } = row.site;
  const intervalMs = records > 1 ? (Date.parse(last) - Date.parse(first)) / (records - 1) : DAY_MS;
  return Math.min(row.spanMs, Math.max(0.7 * DAY_RECORDS_MAX * intervalMs, 60_000));
}

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 170;
const HEIGHT = 34;

/** Generated and consumed as two lines that break at gaps, and a tick for each anomaly. */
function picture(records) {
  const times = records.map((record) => Date.parse(record.timestamp));
  const [from, to] = [times[0], Math.max(times.at(-1), times[0] + 1)];
  const points = averages(records, times, from, to);
  const values = points.flatMap((point) => [point.generated, point.consumed]);
  const [low, high] = [Math.min(0, ...values), Math.max(1e-9, ...values)];
  const x = (time) => (((time - from) / (to - from)) * (WIDTH - 2) + 1).toFixed(1);
  const y = (value) => (HEIGHT - 2 - ((value - low) / (high - low)) * (HEIGHT - 4)).toFixed(1);

  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  const line = (className, path) => {
    const node = svg.appendChild(document.createElementNS(SVG, "path"));
    node.setAttribute("class", className);
    node.setAttribute("d", path);
  };
  const curve = (key) =>
    points.map((point) => `${point.isAfterGap ? "M" : "L"}${x(point.time)} ${y(point[key])}`).join("");
  if (low < 0) line("zero", `M0 ${y(0)}H${WIDTH}`);
  line("consumed", curve("consumed"));
  line("generated", curve("generated"));
  const anomalous = times.filter((_, index) => records[index].anomaly);
  line("anomalous", anomalous.map((time) => `M${x(time)} 0v7`).join(""));
  svg.setAttribute("aria-label", label(records, anomalous.length, to - from));
  return svg;
}

function label(records, anomalies, spanMs) {
  const sum = (key) => energy(records.reduce((sum, record) => sum + record[key], 0));
  const hours = number(spanMs / 3_600_000, spanMs < 36_000_000 ? 1 : 0);
  const energies = `${sum("energy_generated_kwh")} generated, ${sum("energy_consumed_kwh")} consumed`;
  return `Last ${hours} hours: ${energies}, ${anomalies} anomalies`;
}

/** At most DAY_POINTS points, each the average of its share of the time. */
function averages(records, times, from, to) {
  const gaps = times.slice(1).map((time, index) => time - times[index]);
  const usualGap = gaps.sort((one, other) => one - other)[Math.floor(gaps.length / 2)] ?? 0;
  const share = Math.max((to - from) / DAY_POINTS, usualGap, 1);
  const points = [];
  records.forEach((record, index) => {
    const place = Math.floor((times[index] - from) / share);
    if (points.at(-1)?.place !== place) {
      const isAfterGap = !points.length || place - points.at(-1).place > 2;
      points.push({ place, isAfterGap, count: 0, time: 0, generated: 0, consumed: 0 });
    }
    const point = points.at(-1);
    point.count += 1;
    point.time += (times[index] - point.time) / point.count;
    point.generated += (record.energy_generated_kwh - point.generated) / point.count;
    point.consumed += (record.energy_consumed_kwh - point.consumed) / point.count;
  });
  return points;
}

// ---- alerts

let alertsShown = "";

function showAlerts({ alerts }) {
  const ids = alerts.map((alert) => alert.alert_id).join();
  element("no-alerts").hidden = alerts.length > 0;
  if (ids !== alertsShown) element("alert-list").replaceChildren(...alerts.map(alertItem));
  else alerts.forEach((alert, index) => say(element("alert-list").children[index].querySelector(".ago"), ago(alert.at)));
  alertsShown = ids;
}

function alertItem(alert) {
  const isClosed = alert.phase === "closed";
  const mark = make("span", `mark ${isClosed ? "closed" : alert.severity}`, isClosed ? "●" : alert.severity === "error" ? "▲" : "◆");
  mark.setAttribute("aria-hidden", "true");
  const site = make("button", "alert-site", alert.site_id);
  site.type = "button";
  site.title = `Show ${alert.site_id} only`;
  site.addEventListener("click", () => {
    element("search").value = alert.site_id;
    searchFor(alert.site_id);
  });
  const what = make("div", "", alert.kind === "silence" ? silenceInWords(alert) : episodeInWords(alert));
  const when = make("span", "note ago", ago(alert.at));
  when.title = alert.at;
  const place = make("div", "alert-place");
  place.append(site, when);
  const text = make("div");
  text.append(what, place);
  const item = make("li");
  item.append(mark, text);
  return item;
}

function episodeInWords({ rule, phase, readings }) {
  const count = `${number(readings, 0)} ${readings === 1 ? "reading" : "readings"}`;
  return `${inWords(rule)} ${phase === "closed" ? `is over, ${count}` : "began"}`;
}

function silenceInWords({ phase, at, last_seen, interval_ms }) {
  if (phase === "closed") return `heard again after ${span(Date.parse(at) - Date.parse(last_seen))}`;
  return `silent, usually heard every ${span(interval_ms)}`;
}

// ---- start

const example = {
  site_id: "home-01",
  timestamp: new Date().toISOString(),
  energy_generated_kwh: 1.2,
  energy_consumed_kwh: 0.8,
};

function showEmptyCommand() {
  const authorization = token ? " -H 'authorization: Bearer TOKEN'" : "";
  say(
    element("empty-command"),
    `curl ${location.origin}/readings${authorization} -H 'content-type: application/x-ndjson' \\\n  -d '${JSON.stringify(example)}'`,
  );
}

setLocked(false);
showTheme();
recall();
setInterval(() => {
  showStatus();
  if (!view.isConnected) showRows(); // The readings on screen grow older all the same.
  poll();
}, TICK_MS);
document.addEventListener("visibilitychange", poll);
poll();
