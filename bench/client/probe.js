// Put before every script of a page; the same for all contenders. window.bench is what the harness asks.
(() => {
  const { banner, refuse } = WANTED;
  const shifts = [];
  const longTasks = [];
  const scripts = [];
  let largest = null;

  const find = (way) =>
    way.reduce((scope, selector) => {
      const place = scope && (scope === document ? scope : scope.shadowRoot);
      return place && place.querySelector(selector);
    }, document);

  const isRendered = (element) =>
    !!element && element.isConnected && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

  // What a finger at the middle of the element would touch, through open shadow roots.
  const isHit = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const at = [left + width / 2, top + height / 2];
    let hit = width && height ? document.elementFromPoint(...at) : null;
    while (hit && hit.shadowRoot) {
      const inner = hit.shadowRoot.elementFromPoint(...at);
      if (!inner || inner === hit) break;
      hit = inner;
    }
    return !!hit && element.contains(hit);
  };

  const watch = (type, see) => new PerformanceObserver((list) => list.getEntries().forEach(see)).observe({ type, buffered: true });
  watch("layout-shift", (entry) => entry.hadRecentInput || shifts.push(entry.value));
  watch("longtask", (entry) => longTasks.push(entry.duration));
  watch("long-animation-frame", (entry) =>
    entry.scripts.forEach(({ duration, sourceURL }) => scripts.push({ duration, sourceURL })),
  );
  watch("largest-contentful-paint", (entry) => {
    const host = banner.length ? find(banner) : null;
    // An element of a shadow tree is not told; no other than a banner's has one here.
    const isBanner = !entry.element || (!!host && host.contains(entry.element));
    largest = { at: entry.startTime, isBanner, element: entry.element ? entry.element.localName : "" };
  });

  // Ask once a frame until it holds; gives the milliseconds since the page's navigation began.
  const frame = (holds) =>
    new Promise((done, fail) => {
      const ask = () => {
        if (holds()) done(performance.now());
        else if (performance.now() > 60000) fail(new Error("waited 60 s"));
        else requestAnimationFrame(ask);
      };
      ask();
    });

  const api = {
    clickable: null,
    find,
    seen: () => ({ shift: shifts.reduce((sum, value) => sum + value, 0), longTasks, scripts, largest }),
    // Where to click: the middle of the button once it can be hit and has stood still for a frame.
    middle: () => {
      let last = "";
      let at = [];
      const stands = () => {
        const button = find(refuse);
        if (!isRendered(button) || !isHit(button)) return false;
        const { left, top, width, height } = button.getBoundingClientRect();
        at = [left + width / 2, top + height / 2];
        const isStill = last === String(at);
        last = String(at);
        return isStill;
      };
      return frame(stands).then(() => at);
    },
    // Wait for the next click of the visitor, then until its button is no longer rendered; milliseconds between the two.
    gone: null,
    arm: () => {
      const button = find(refuse);
      api.gone = new Promise((done, fail) => {
        const clicked = ({ timeStamp }) =>
          frame(() => !isRendered(button)).then((at) => done(at - timeStamp), fail);
        addEventListener("click", clicked, { capture: true, once: true });
      });
    },
    rested: (milliseconds) =>
      new Promise((done) => {
        const rest = () => setTimeout(() => requestAnimationFrame(() => setTimeout(done)), milliseconds);
        if (document.readyState === "complete") rest();
        else addEventListener("load", rest);
      }),
  };
  Object.defineProperty(window, "bench", { value: api });
  if (POLLS && refuse.length)
    api.clickable = frame(() => {
      const button = find(refuse);
      return isRendered(button) && isHit(button);
    });
})();
