var klaroConfig = {
  version: 1,
  lang: 'fr',
  acceptAll: true,
  translations: {
    zz: {privacyPolicyUrl: '#confidentialite'},
    fr: {
      analytics: {title: "Mesure d'audience", description: 'Compter les pages lues pour rendre le site meilleur.'},
      purposes: {analytics: "Mesure d'audience"}
    }
  },
  services: [{name: 'analytics', purposes: ['analytics'], cookies: []}]
};
