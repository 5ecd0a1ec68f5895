// A real OAuth2 authorization server (oidc-provider) on this machine: node server.mjs CLIENTS.json
// The audience that a client asks for (`resource`) says how long its token lives, and of what kind it is.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { clients, gateway } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const scopes = [
  'system/*.read', 'system/Patient.read', 'system/Observation.read', 'system/Patient.rs', 'system/*.cruds',
];
const lives = { 'urn:fhir': 300, 'urn:fhir:short': 3, 'urn:other': 300, 'urn:helios': 300 };

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      ...clients.map((one) => ({
        grant_types: ['client_credentials'], response_types: [], redirect_uris: [], ...one,
      })),
      { client_id: 'gateway', client_secret: gateway, grant_types: [], response_types: [], redirect_uris: [] },
    ],
    scopes,
    clientAuthMethods: ['private_key_jwt', 'client_secret_basic', 'client_secret_post'],
    enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:fhir',
        getResourceServerInfo: (ctx, audience) => ({
          scope: scopes.join(' '), audience, accessTokenTTL: lives[audience],
          // Helios reads its tokens itself; the gateway asks of each, so that one may be revoked
          ...(audience === 'urn:helios' ? { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } } : { accessTokenFormat: 'opaque' }),
        }),
      },
    },
  });
  server.on('request', provider.callback());
  console.log(`READY ${issuer}`);
});
