// Keeps the page within what is seen of it while an on-screen keyboard covers the rest, in browsers that lay the
// keyboard over the page instead of making it smaller.

export function stayInView(): void {
  const viewport = window.visualViewport;
  if (viewport === null) return;
  const fit = (): void => {
    if (viewport.scale > 1.01) return; // somebody has enlarged a part of the page, and moves about in it
    const covered = window.innerHeight - viewport.height;
    if (covered > 1) document.body.style.height = `${viewport.height}px`;
    else document.body.style.removeProperty('height');
    if (viewport.offsetTop > 0) window.scrollTo(0, 0);
  };
  viewport.addEventListener('resize', fit);
  viewport.addEventListener('scroll', fit);
}
