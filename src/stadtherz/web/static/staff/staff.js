// Starts what Wagtail's templates would start by inline scripts, which our policy forbids.
// An element says what: <span data-staff-start="initDateChooser" data-id="…" data-options="{…}">.
(() => {
  const starters = {
    initDateChooser: (id, options) => window.initDateChooser(id, options),
    initDateTimeChooser: (id, options) => window.initDateTimeChooser(id, options),
    initTimeChooser: (id, options) => window.initTimeChooser(id, options),
    InlinePanel: (_, options) => new window.InlinePanel(options),
  };

  function start(element) {
    const starter = starters[element.dataset.staffStart];
    delete element.dataset.staffStart; // once
    if (starter) starter(element.dataset.id, JSON.parse(element.dataset.options || "{}"));
  }

  function startAllIn(root) {
    if (root.matches?.("[data-staff-start]")) start(root);
    root.querySelectorAll?.("[data-staff-start]").forEach(start);
  }

  document.addEventListener("DOMContentLoaded", () => {
    startAllIn(document);
    // Rows added to an inline panel bring their own fields.
    new MutationObserver((records) => {
      for (const record of records) record.addedNodes.forEach(startAllIn);
    }).observe(document.body, { childList: true, subtree: true });
  });
})();

// A part of the page that tells how far some work is follows it; without scripts the page loads itself again.
(() => {
  const every = 1500;

  async function follow() {
    const part = document.getElementById("staff-live");
    if (!part?.hasAttribute("data-staff-live")) return;
    try {
      const answer = await fetch(window.location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("staff-live");
      if (fresh) part.replaceWith(document.adoptNode(fresh));
    } catch {
      // The next try may reach the server again.
    }
    setTimeout(follow, every);
  }

  document.addEventListener("DOMContentLoaded", () => setTimeout(follow, every));
})();
