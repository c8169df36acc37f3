// The pad in the browser: it takes strokes, sends them to Python, and shows what comes back as `answer`.
const SIDE = 280;
const HELP = "Drawing pad. Draw a digit with mouse, finger or pen. With the keyboard: arrow keys move the pen, "
  + "with Shift in small steps; Space puts it down or lifts it; Escape or Delete clears.";
const STYLE = `
  .digit-pad { display: flex; flex-wrap: wrap; gap: 20px; padding: 6px 2px; color: var(--jp-content-font-color1, CanvasText);
    font: 13px/1.45 var(--jp-ui-font-family, sans-serif); }
  .digit-pad .board { border: 1px solid currentColor; border-radius: 4px; touch-action: none; cursor: crosshair; display: block; }
  .digit-pad .board:focus-visible { outline: 3px solid #D55E00; outline-offset: 2px; }
  .digit-pad .row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-top: 8px; max-width: ${SIDE + 2}px; }
  .digit-pad button, .digit-pad select { font: inherit; color: inherit; background: transparent; padding: 2px 8px;
    border: 1px solid currentColor; border-radius: 4px; }
  .digit-pad option { color: CanvasText; background: Canvas; }
  .digit-pad .steps { display: flex; flex-wrap: wrap; gap: 12px; min-height: 116px; }
  .digit-pad figure { margin: 0; }
  .digit-pad figcaption { font-size: 12px; }
  .digit-pad .step { height: 84px; border: 1px solid; border-color: color-mix(in srgb, currentColor 30%, transparent); image-rendering: pixelated; }
  .digit-pad .bar { display: grid; grid-template-columns: 14px 160px 44px; gap: 8px; align-items: center; height: 17px; }
  .digit-pad .bar i { display: block; height: 11px; background: #0072B2; }
  .digit-pad .said { margin: 0 0 8px; font-size: 15px; font-weight: 600; min-height: 1.4em; max-width: 330px; }
  .digit-pad .help { max-width: ${SIDE + 2}px; margin: 6px 0 0; font-size: 12px; }`;

function make(tag, settings = {}, ...children) {
  const { attributes = {}, ...properties } = settings;
  const element = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function render({ model, el }) {
  const board = make("canvas", { className: "board", width: SIDE, height: SIDE, tabIndex: 0,
    attributes: { role: "application", "aria-label": HELP, "data-lm-suppress-shortcuts": "true" } });
  const clear = make("button", { textContent: "Clear", type: "button" });
  const pen = make("input", { type: "range", min: 6, max: 44, step: 1, attributes: { "aria-label": "Width of the pen" } });
  const menu = make("select", { attributes: { "aria-label": "Choose a stored drawing" } },
    make("option", { value: "", textContent: "stored drawing …" }),
    ...model.get("names").map((name) => make("option", { value: name, textContent: name })));
  const said = make("p", { className: "said", attributes: { role: "status", "aria-live": "polite" } });
  const where = make("p", { className: "help", textContent: HELP, attributes: { "aria-live": "polite" } });
  const steps = make("div", { className: "steps" });
  const bars = make("div", { attributes: { role: "img" } });
  const root = make("div", { className: "digit-pad", attributes: { "data-lm-suppress-shortcuts": "true" } },
    make("style", { textContent: STYLE }),
    make("div", {}, board, make("div", { className: "row" }, clear, make("label", {}, "pen "), pen, menu), where),
    make("div", {}, said, steps, bars));
  root.querySelector("label").append(pen);
  el.append(root);

  let strokes = structuredClone(model.get("strokes"));
  let down = false; // whether the pen touches the pad
  let waiting = null; // the next time that strokes are sent
  const at = [SIDE / 2, SIDE / 2]; // where the keyboard's pen is

  function draw() {
    board.dataset.points = strokes.flat().length;
    const page = board.getContext("2d");
    page.clearRect(0, 0, SIDE, SIDE);
    page.strokeStyle = page.fillStyle = getComputedStyle(root).color;
    Object.assign(page, { lineWidth: model.get("pen"), lineCap: "round", lineJoin: "round" });
    for (const points of strokes) {
      page.beginPath();
      points.forEach(([x, y]) => page.lineTo(x + 0.5, y + 0.5));
      if (points.length === 1) page.lineTo(points[0][0] + 0.5, points[0][1] + 0.51);
      page.stroke();
    }
    if (document.activeElement === board) { // the keyboard's pen
      page.strokeStyle = "#D55E00";
      page.lineWidth = down ? 4 : 2;
      page.strokeRect(at[0] - 6, at[1] - 6, 13, 13);
    }
  }

  function send() { // at most every 80 ms: a hand is faster than a network
    draw();
    waiting ??= setTimeout(() => {
      waiting = null;
      model.set({ strokes: structuredClone(strokes) });
      model.save_changes();
    }, 80);
  }

  function wipe() {
    strokes = [];
    down = false;
    model.set({ strokes: [], chosen: "" }); // at once, or the change of one brings back the other
    model.save_changes();
    where.textContent = HELP;
    draw();
  }

  function point(event) {
    const frame = board.getBoundingClientRect();
    const scale = SIDE / (frame.width - 2); // its border is one pixel wide
    return [event.clientX - frame.left - 1, event.clientY - frame.top - 1]
      .map((value) => Math.round(Math.min(SIDE - 1, Math.max(0, value * scale))));
  }

  board.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    board.setPointerCapture(event.pointerId);
    board.focus({ preventScroll: true });
    down = true;
    strokes.push([point(event)]);
    send();
  });
  board.addEventListener("pointermove", (event) => {
    if (!down || !board.hasPointerCapture(event.pointerId)) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length ? moves : [event]) strokes.at(-1).push(point(move));
    send();
  });
  for (const end of ["pointerup", "pointercancel"]) board.addEventListener(end, () => { down = false; draw(); });

  board.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) {
      way.forEach((step, axis) => {
        at[axis] = Math.min(SIDE - 1, Math.max(0, at[axis] + step * (event.shiftKey ? 2 : 10)));
      });
      if (down) strokes.at(-1).push([...at]);
    } else if (event.key === " ") {
      down = !down;
      if (down) strokes.push([[...at]]);
    } else if (event.key === "Escape" || event.key === "Delete") {
      wipe();
    } else {
      return; // Tab leaves the pad
    }
    event.preventDefault();
    event.stopPropagation();
    if (event.key.startsWith("Arrow") || event.key === " ") {
      where.textContent = `Pen ${down ? "down" : "up"} at ${at[0]} from the left, ${at[1]} from the top.`;
    }
    send();
  });
  board.addEventListener("focus", draw);
  board.addEventListener("blur", () => { down = false; draw(); });
  clear.addEventListener("click", wipe);
  pen.addEventListener("input", () => { model.set("pen", Number(pen.value)); model.save_changes(); });
  menu.addEventListener("change", () => { model.set("chosen", menu.value); model.save_changes(); });

  function picture({ title, height, width, pixels }) {
    const canvas = make("canvas", { className: "step", width, height, attributes: { role: "img", "aria-label": title } });
    const page = canvas.getContext("2d");
    const image = page.createImageData(width, height);
    const [red, green, blue] = (getComputedStyle(root).color || "rgb(0, 0, 0)").match(/[\d.]+/g).map(Number);
    [...atob(pixels)].forEach((byte, place) => image.data.set([red, green, blue, byte.charCodeAt(0)], 4 * place));
    page.putImageData(image, 0, 0);
    return make("figure", {}, canvas, make("figcaption", { textContent: title }));
  }

  function answer() {
    const { words, probs, steps: parts, points } = model.get("answer");
    said.textContent = words;
    said.dataset.points = points;
    steps.replaceChildren(...parts.map(picture));
    bars.setAttribute("aria-label", probs.map((value, digit) => `${digit}: ${Math.round(100 * value)} %`).join(", "));
    bars.replaceChildren(...probs.map((value, digit) => make("div", { className: "bar" },
      make("span", { textContent: digit }),
      make("span", {}, make("i", { attributes: { style: `width: ${100 * value}%` } })),
      make("span", { textContent: `${Math.round(100 * value)} %` }))));
  }

  function adopt() { // strokes that Python has set
    if (!down && waiting === null) strokes = structuredClone(model.get("strokes"));
    pen.value = model.get("pen");
    menu.value = model.get("chosen");
    draw();
  }

  const heard = { "change:strokes": adopt, "change:pen": adopt, "change:chosen": adopt, "change:answer": answer };
  for (const [name, handler] of Object.entries(heard)) model.on(name, handler);
  const theme = new MutationObserver(() => { draw(); answer(); });
  theme.observe(document.body, { attributes: true });
  const place = new ResizeObserver(() => { draw(); answer(); }); // the colours are known once it stands on the page
  place.observe(root);
  adopt();
  answer();
  return () => {
    theme.disconnect();
    place.disconnect();
    for (const [name, handler] of Object.entries(heard)) model.off(name, handler);
  };
}

export default { render };
