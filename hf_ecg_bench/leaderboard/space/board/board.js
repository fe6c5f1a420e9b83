() => {
  // The address and the page follow each other: links and controls write it, "back" reads it.
  // Parameters that begin with two underscores belong to Gradio and the Hub (theme, signature): they stay.
  const strangers = () =>
    [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith("__"));
  const ours = () =>
    new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => !name.startsWith("__"))).toString();
  const board = { query: ours, anchor: "" };

  board.put = (query, way) => {
    const kept = new URLSearchParams(strangers()).toString();
    const wanted = [query, kept].filter(Boolean).join("&");
    if (new URLSearchParams(query).toString() !== ours()) {
      history[way + "State"]({}, "", location.pathname + (wanted ? "?" + wanted : ""));
      // On the Hub the app is in a frame: its address is shown by the page around it.
      if (window.parent !== window) {
        window.parent.postMessage({ queryString: query, hash: "" }, "https://huggingface.co");
      }
    }
    board.title();
  };

  board.title = () => {
    const page = document.querySelector("#content [data-title]");
    if (page) document.title = page.dataset.title;
  };

  board.go = () => document.querySelector("#go")?.click();

  // After a link: the focus stays on the header that was clicked, else it goes to the heading of the new page.
  board.arrived = () => {
    document.documentElement.classList.remove("eb-waiting");
    board.title();
    const again = board.focus && document.getElementById(board.focus);
    const anchor = board.anchor && document.getElementById(board.anchor);
    if (anchor) anchor.scrollIntoView();
    if (again) again.focus({ preventScroll: true });
    else if (board.moved) document.getElementById("heading")?.focus({ preventScroll: !!anchor });
    board.focus = board.anchor = "";
    board.moved = false;
  };

  board.save = (file) => {
    if (!file || !file.name) return;
    const link = document.createElement("a");
    const kind = file.name.endsWith(".csv") ? "text/csv" : "application/x-tex";
    link.href = URL.createObjectURL(new Blob([file.text], { type: kind + ";charset=utf-8" }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  window.ecgBoard = board;

  document.addEventListener("click", (event) => {
    const skip = event.target.closest("a[data-skip]");
    if (skip) {
      event.preventDefault();
      document.getElementById("heading")?.focus();
      return;
    }
    const link = event.target.closest("a[data-view]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const [query, anchor] = link.getAttribute("href").replace(/^\?/, "").split("#");
    board.focus = link.id;
    board.anchor = anchor || "";
    board.moved = true;
    board.put(query === "show=overall" ? "" : query, "push");
    board.go();
  });
  window.addEventListener("popstate", board.go);

  if (ours()) {
    board.go();
  } else {
    board.title();
  }
}
