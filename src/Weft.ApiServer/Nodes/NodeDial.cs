// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Security;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Nodes;

/// <summary>
/// Connections to node agents: this machine's own by its socket; that of a machine that joined by its port in the pods' network. There the
/// agent, though called, is the client of the TLS handshake: it shows the certificate that it joined with, and takes nobody but the API server.
/// </summary>
internal sealed class NodeDial(ApiServices services) : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly X509Certificate2 _serving = services.Authority.IssueServing(Bootstrap.FirstAddress(services.Options.ServiceNetwork), []);

    /// <summary>The nodes whose agents are not this machine's.</summary>
    public IEnumerable<string> Joined() =>
        services.Store.Snapshot("nodes").Objects.Values.Select(node => node.Parse()).Where(node => PortOf(node) > 0).Select(node => node.At("metadata", "name").Text()!);

    /// <summary>Connects to the agent of the node; throws <see cref="SocketException"/> or <see cref="IOException"/> when it cannot be reached.</summary>
    public async Task<Stream> ConnectAsync(string node, CancellationToken cancellationToken)
    {
        var found = services.Store.Find("nodes", "", node)?.Parse();
        if (found is not null && PortOf(found) is > 0 and var port && Address(found) is { } address)
        {
            return await ConnectAsync(node, new IPEndPoint(address, port), cancellationToken);
        }

        if (services.Options.NodeSocket is not { } path)
        {
            throw new ApiException(503, "ServiceUnavailable", "this API server was started without a node agent");
        }

        return await OpenAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
    }

    public void Dispose() => _serving.Dispose();

    private async Task<Stream> ConnectAsync(string node, IPEndPoint agent, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_patience);
        var shown = false;
        try
        {
            var tls = new SslStream(await OpenAsync(agent, limit.Token), leaveInnerStreamOpen: false);
            try
            {
                await tls.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions
                    {
                        ServerCertificate = _serving,
                        ClientCertificateRequired = true,
                        RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                            shown = certificate is X509Certificate2 own && services.Authority.Identify(own) is { } user && NodeRights.NodeOf(user) == node,
                    },
                    limit.Token);
                return shown ? tls : throw new AuthenticationException("it showed no certificate");
            }
            catch
            {
                await tls.DisposeAsync();
                throw;
            }
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"node {node} did not answer at {agent} within {_patience.TotalSeconds:0} s", late);
        }
        catch (AuthenticationException problem)
        {
            throw new IOException($"who answers at {agent} is not node {node}: {problem.Message}", problem);
        }
    }

    private static async Task<Stream> OpenAsync(EndPoint target, CancellationToken cancellationToken)
    {
        var socket = new Socket(target.AddressFamily, SocketType.Stream, target is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(target, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static int PortOf(JsonObject node) => (int)(node.At("status", "daemonEndpoints", "kubeletEndpoint", "Port").Number() ?? 0);

    /// <summary>The first address of the range that it was given, whatever it says of itself.</summary>
    private static IPAddress? Address(JsonObject node) =>
        IPNetwork.TryParse(node.At("spec", "podCIDR").Text() ?? "", out var range) ? Bootstrap.FirstAddress(range) : null;
}
