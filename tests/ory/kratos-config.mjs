import { randomBytes } from 'node:crypto';

/** The one identity schema: an address that can be verified, and an optional name. */
export const identitySchema = {
  $id: 'https://edgekeeper.invalid/person.schema.json',
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Person',
  type: 'object',
  properties: {
    traits: {
      type: 'object',
      required: ['email'],
      additionalProperties: false,
      properties: {
        email: {
          type: 'string',
          format: 'email',
          title: 'E-mail',
          maxLength: 320,
          'ory.sh/kratos': {
            credentials: {
              password: { identifier: true },
              code: { identifier: true, via: 'email' },
              totp: { account_name: true },
            },
            verification: { via: 'email' },
            recovery: { via: 'email' },
          },
        },
        name: {
          type: 'object',
          additionalProperties: false,
          properties: {
            first: { type: 'string', title: 'First name', maxLength: 100 },
            last: { type: 'string', title: 'Last name', maxLength: 100 },
          },
        },
      },
    },
  },
};

/**
 * Kratos' configuration for a test or the demo.
 * @param {object} at
 * @param {string} at.dsn
 * @param {string} at.schemaFile
 * @param {number} at.publicPort
 * @param {number} at.adminPort
 * @param {string} at.publicOrigin what a browser calls Kratos
 * @param {string} at.uiOrigin where the sign-in pages are
 * @param {string} at.defaultReturn
 * @param {string[]} at.allowedReturns
 * @param {string} at.sessionLifespan a Go duration
 * @param {boolean} at.cacheable
 * @returns {object}
 */
export function kratosConfig(at) {
  const page = (path) => new URL(path, at.uiOrigin).href;
  return {
    version: 'v1.3.1',
    dsn: at.dsn,
    dev: true,
    log: { level: 'warning', format: 'json' },
    serve: {
      public: {
        host: '127.0.0.1',
        port: at.publicPort,
        base_url: new URL('/', at.publicOrigin).href,
        request_log: { disable_for_health: true },
      },
      admin: {
        host: '127.0.0.1',
        port: at.adminPort,
        base_url: `http://127.0.0.1:${at.adminPort}/`,
        request_log: { disable_for_health: true },
      },
    },
    secrets: { cookie: [randomBytes(16).toString('hex')], cipher: [randomBytes(16).toString('hex')] },
    hashers: { algorithm: 'bcrypt', bcrypt: { cost: 4 } },
    identity: { default_schema_id: 'person', schemas: [{ id: 'person', url: `file://${at.schemaFile}` }] },
    session: {
      lifespan: at.sessionLifespan,
      cookie: { same_site: 'Lax' },
      whoami: { required_aal: 'highest_available' },
    },
    feature_flags: { cacheable_sessions: at.cacheable },
    selfservice: {
      default_browser_return_url: at.defaultReturn,
      allowed_return_urls: at.allowedReturns,
      methods: {
        password: { enabled: true, config: { haveibeenpwned_enabled: false } },
        code: { enabled: true },
        totp: { enabled: true, config: { issuer: 'Edgekeeper' } },
        lookup_secret: { enabled: true },
      },
      flows: {
        error: { ui_url: page('/error') },
        login: { ui_url: page('/login') },
        registration: { ui_url: page('/registration'), after: { password: { hooks: [{ hook: 'session' }] } } },
        settings: { ui_url: page('/settings'), required_aal: 'highest_available', privileged_session_max_age: '15m' },
        recovery: { enabled: true, use: 'code', ui_url: page('/recovery') },
        verification: { enabled: true, use: 'code', ui_url: page('/verification') },
        logout: { after: { default_browser_return_url: page('/') } },
      },
    },
    // Messages stay in the database: nothing sends them unless Kratos runs its courier.
    courier: { smtp: { connection_uri: 'smtp://127.0.0.1:9/?disable_starttls=true' } },
  };
}
