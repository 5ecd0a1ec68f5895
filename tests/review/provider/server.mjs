// A real OpenID provider (oidc-provider) on this machine: node server.mjs BACK SECRET
// Its own pages for signing in take any login; `inactive` and the like are as good as any other.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [, , back, secret] = process.argv;
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'cohortfinder', client_secret: secret, redirect_uris: [back], application_type: 'native' }],
    pkce: { required: () => true },
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({
        sub: id, name: `${id} Example`, preferred_username: id, email: `${id}@hospital.example`, email_verified: id !== 'unconfirmed',
      }),
    }),
    features: { devInteractions: { enabled: true } },
  });
  server.on('request', provider.callback());
  console.log(`READY ${issuer}`);
});
