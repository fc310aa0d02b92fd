// Node-RED without an editor: its flow runs and nothing listens.
module.exports = {
  httpAdminRoot: false, httpNodeRoot: false, uiHost: '127.0.0.1', credentialSecret: false,
  logging: { console: { level: 'info' } },
}
