// aedes.mjs MODULES PORT: the aedes broker on a loopback port.
import { createServer } from 'node:net'
import { pathToFileURL } from 'node:url'

const [modules, port] = process.argv.slice(2)
const { Aedes } = await import(pathToFileURL(modules + '/aedes/aedes.js'))
const broker = await Aedes.createBroker()
createServer(broker.handle).listen(Number(port), '127.0.0.1', () => console.log('ready'))
