/** Text of `volo-peer --help`. @param defaultData - the data directory used without `--data`. */
export function helpText(defaultData: string): string {
  return `volo-peer: chat through Volo without a browser

Usage: volo-peer [options] <command>

Commands
  register --username NAME   make keys, sign in at the node, register account and device
      --demo-user NAME       whom to be at the demo sign-in (default: the username)
      --display-name TEXT    how others see you (default: the username)
      --device-name TEXT     how you see this device (default: "Command line")
  send PERSON TEXT           send a message; returns once the network keeps it
  listen                     print received messages, those waiting from before included
      --count N              stop after N messages; fewer within --timeout is exit code 3
  messages PERSON            print the conversation as this device has it
  whoami                     this account and device, and what the public record says of them
  name NAME                  claim another username, if the one chosen before turned out to be taken
  status                     connection, network, messages that wait
  devices                    the devices of this account, and since when the public record has them
  revoke DEVICE              remove a device from this account for good; returns once the network has taken it
      --yes                  needed to remove the device that runs the command

PERSON is @username or an account id (64 hex digits). DEVICE is a device id or its beginning (8 hex digits or more).

Options of every command
  --data DIR        where keys and messages are kept (default: ${defaultData})
  --node URL        node to start from (default: the last one used, at first http://127.0.0.1:8787)
  --timeout S       seconds to wait (default: send 30, register and name 60, listen without end)
  --json            one JSON object a line on standard output, and nothing else there
  -h, --help        this text
  --version

Exit codes: 0 done, 1 failed, 2 not understood, 3 timed out.

The key of the data directory is in a file that only you can read (mode 0600). If VOLO_PASSPHRASE_FILE names a file when
the directory is made, the key is protected by the passphrase in it, and every later command needs the same variable.
`
}
