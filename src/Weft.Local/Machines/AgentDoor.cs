// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Weft.Local.Relays;

namespace Weft.Local.Machines;

/// <summary>
/// Where the API server calls the agent of a machine that joined, for logs, exec and the like: a port in the pods' network. Any pod can reach it, so
/// who calls must prove to be the API server; of the TLS handshake the agent is the client, with the one certificate that it has.
/// </summary>
internal static class AgentDoor
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(LocalNodeOptions options, CancellationToken ct)
    {
        var credentials = new MachineCredentials(options.Home);
        using var listener = RelayListener.OpenServing(
            new IPEndPoint(options.Nodes[0].Address, Machine.AgentPort), (socket, serving) => ServeAsync(socket, credentials, options, serving), options.Log);
        await listener.RunAsync(ct);
    }

    private static async Task ServeAsync(Socket caller, MachineCredentials credentials, LocalNodeOptions options, CancellationToken ct)
    {
        await using var tls = new SslStream(new NetworkStream(caller));
        using (var limit = CancellationTokenSource.CreateLinkedTokenSource(ct))
        {
            limit.CancelAfter(_patience);
            try
            {
                await tls.AuthenticateAsClientAsync(credentials.Options(ApiTrust.Name), limit.Token);
            }
            catch (AuthenticationException e)
            {
                throw new IOException($"{caller.RemoteEndPoint} is not the API server: {e.Message}", e);
            }
        }

        await using var agent = new NetworkStream(
            await Dialling.ConnectAsync(new UnixDomainSocketEndPoint(options.Home.NodeSocket), ct), ownsSocket: true);
        await StreamPump.RunAsync(tls, agent, ct);
    }
}
