// Embeds the page's charts, keeps theme and choices in the address, and offers a menu for what the legend can select.
(() => {
  "use strict";
  const root = document.documentElement;
  const narrow = window.matchMedia("(max-width: 640px)");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const ALL = "";

  const stored = () => { try { return localStorage.getItem("freefall-theme"); } catch { return null; } };
  const choices = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  const theme = () => choices.get("theme") || stored() || (prefersDark.matches ? "dark" : "light");

  function remember(key, choice) {
    if (choice) choices.set(key, choice); else choices.delete(key);
    const text = choices.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }

  // A narrow screen has no room for legends in columns or for long labels.
  function fitted(part) {
    if (Array.isArray(part)) return part.map(fitted);
    if (!part || typeof part !== "object") return part;
    const copy = {};
    for (const [key, child] of Object.entries(part)) {
      if (key === "values" || key === "datasets") copy[key] = child;
      else if (key === "legend" && child) copy[key] = { ...child, columns: 1, labelLimit: 260 };
      else if (key === "labelLimit") copy[key] = 140;
      else copy[key] = fitted(child);
    }
    return copy;
  }

  function looks() {
    const config = structuredClone(window.freefallThemes[theme()]);
    if (narrow.matches) {
      config.legend.columns = 1;
      config.legend.layout = { bottom: { direction: "vertical", anchor: "start" } };
      config.axis.labelFontSize = 11;
    }
    return config;
  }

  function menu(figure, name, view, { pick, options }) {
    const controls = figure.querySelector(".controls");
    controls.replaceChildren();
    if (!pick || options.length < 2) return;
    const signal = `pick_${pick}_legend`;
    const select = document.createElement("select");
    for (const option of [ALL, ...options]) select.add(new Option(option || "all", option));
    const label = document.createElement("label");
    label.append("Show ", select);
    controls.append(label);
    const apply = () => { view.signal(signal, select.value || null).run(); };
    select.addEventListener("change", () => { remember(name, select.value); apply(); });
    view.addSignalListener(signal, (_, picked) => { select.value = picked ?? ALL; remember(name, picked); });
    if (options.includes(choices.get(name))) { select.value = choices.get(name); apply(); }
  }

  async function embed(figure) {
    const name = figure.dataset.chart;
    const spec = window.freefallCharts[name];
    figure.freefall?.finalize();
    const embedded = await window.vegaEmbed(figure.querySelector(".view"), narrow.matches ? fitted(spec) : spec, {
      actions: false, renderer: "svg", mode: "vega-lite", config: looks(), tooltip: { theme: theme() },
    });
    figure.freefall = embedded;
    menu(figure, name, embedded.view, spec.usermeta);
    for (const param of spec.usermeta.params) {
      const key = `${name}.${param}`;
      if (choices.has(key)) embedded.view.signal(param, choices.get(key)).run();
      embedded.view.addSignalListener(param, (_, choice) => remember(key, choice));
    }
    figure.dataset.ready = theme();
  }

  const embedAll = () => Promise.all([...document.querySelectorAll("figure[data-chart]")].map(embed));

  function paint() {
    root.dataset.theme = theme();
    button.textContent = theme() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to the ${button.textContent.toLowerCase()} look`);
    return embedAll();
  }

  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem("freefall-theme", next); } catch { /* the address keeps it */ }
    remember("theme", next);
    paint();
  });
  narrow.addEventListener("change", embedAll);
  prefersDark.addEventListener("change", paint);
  paint();
})();
