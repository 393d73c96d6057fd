// The least a banner can be: a sentence, a link, two equal buttons, and the choice kept. Nothing else of what a banner owes.
(() => {
  const key = "choice";
  if (localStorage.getItem(key)) return;
  const banner = document.createElement("div");
  banner.innerHTML = `<style>#choice{position:fixed;bottom:0;left:0;right:0;padding:16px;background:#fff;border-top:1px solid #555;font:16px/1.5 sans-serif;color:#111}#choice h2{margin:0;font-size:18px}#choice p{margin:8px 0}#choice button{width:48%;min-height:44px;font:inherit;color:#fff;background:#1d3d6b;border:0}</style><div id="choice" role="region" aria-labelledby="choice-title"><h2 id="choice-title">Votre choix sur la mesure d'audience</h2><p>Les Nouvelles du Matin souhaite utiliser un cookie pour mesurer l'audience et améliorer le site. Refuser ne change rien à votre accès. <a href="#confidentialite">Politique de confidentialité</a></p><button data-action="refuse">Tout refuser</button> <button data-action="accept">Tout accepter</button></div>`;
  banner.onclick = ({ target }) => {
    const { action } = target.dataset;
    if (!action) return;
    localStorage.setItem(key, action);
    banner.remove();
  };
  document.body.prepend(banner);
})();
