"use strict";
/* Everything here is a convenience: without it the page is complete and readable. */
(() => {
  const root = document.documentElement;
  const remembered = "twinstore-theme";
  const recall = () => { try { return localStorage.getItem(remembered); } catch { return null; } };
  const theme = recall();
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  const isDark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;

  const setUpTheme = () => {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem(remembered, root.dataset.theme); } catch { /* a page from disk may not remember */ }
    });
  };

  const openTo = (element) => {
    for (let at = element; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  };

  const followHash = () => {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { return; }
    const target = id && document.getElementById(id);
    if (!target) return;
    openTo(target);
    target.scrollIntoView();
  };

  const setUpToggles = () => {
    for (const button of document.querySelectorAll(".toggle-all")) {
      const all = () => document.getElementById(button.dataset.for).querySelectorAll("details");
      if (all().length < 2) continue;
      button.hidden = false;
      button.addEventListener("click", () => {
        const open = button.textContent === "Open all";
        for (const details of all()) details.open = open;
        button.textContent = open ? "Close all" : "Open all";
      });
    }
  };

  /* Filter: an item shows if it or something in it matches; what matches inside a closed item opens it. */
  const setUpFilter = () => {
    const box = document.getElementById("filter-box");
    if (!box) return;
    const input = document.getElementById("filter");
    const count = document.getElementById("filter-count");
    const items = [...document.querySelectorAll(".item")];
    if (!items.length) return;
    box.hidden = false;
    let texts = null;
    const outer = items.filter((item) => !item.parentElement.closest(".item"));
    const inner = new Map(outer.map((item) => [item, [...item.querySelectorAll(".item")]]));
    const apply = () => {
      const wanted = input.value.trim().toLowerCase();
      texts ??= new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
      let shown = 0;
      for (const item of outer) {
        const hit = !wanted || texts.get(item).includes(wanted);
        item.hidden = !hit;
        shown += hit;
        const head = (item.querySelector("summary") ?? item).textContent.toLowerCase();
        const whole = !wanted || head.includes(wanted);
        for (const part of inner.get(item)) part.hidden = !whole && !texts.get(part).includes(wanted);
        if (wanted && hit) openTo(whole ? item.parentElement : item);
      }
      count.textContent = wanted ? `${shown} of ${outer.length}` : "";
    };
    let timer = 0;
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 120); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { input.value = ""; apply(); }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
        event.preventDefault();
        input.focus();
      }
    });
  };

  const setUpPrint = () => {
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details:not([open])")];
      for (const details of opened) details.open = true;
    });
    addEventListener("afterprint", () => { for (const details of opened) details.open = false; });
  };

  const tellAge = () => {
    const place = document.getElementById("age");
    const made = document.querySelector("footer time");
    if (!place || !made) return;
    const hours = (Date.now() - Date.parse(made.dateTime)) / 36e5;
    if (hours >= 1) place.textContent = hours < 48 ? `, ${Math.floor(hours)} h ago` : `, ${Math.floor(hours / 24)} days ago`;
  };

  addEventListener("hashchange", followHash);
  addEventListener("DOMContentLoaded", () => {
    setUpTheme();
    setUpToggles();
    setUpFilter();
    setUpPrint();
    tellAge();
    followHash();
  });
})();
