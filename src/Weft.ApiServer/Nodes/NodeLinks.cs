// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Weft.ApiServer.Http;
using Weft.ApiServer.Security;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Nodes;

/// <summary>
/// What machines that joined ask for beside objects: the authority, before they can check anybody, and byte streams to sockets of this machine
/// (the control plane, the pods' packets) under <c>Upgrade: weft-link</c>.
/// </summary>
internal static class NodeLinks
{
    private const string Protocol = "weft-link";

    public static async Task AnswerAsync(HttpContext context, string target, ApiServices services, Func<UserIdentity> identify)
    {
        if (target is "authority")
        {
            // Public, and worth nothing until it is compared with the fingerprint that came with the token.
            context.Response.ContentType = "application/x-pem-file";
            await context.Response.WriteAsync(services.Authority.RootPem, context.RequestAborted);
            return;
        }

        var user = identify();
        if (NodeRights.NodeOf(user) is not { } node)
        {
            throw new ApiException(403, "Forbidden", $"forbidden: User \"{user.Name}\" is no node, and links are for nodes only", []);
        }

        if (!services.Options.Links.TryGetValue(target, out var path))
        {
            throw ApiException.NoSuchPath();
        }

        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade || context.Request.Headers.Upgrade != Protocol)
        {
            throw ApiException.BadRequest($"Upgrade: {Protocol} required");
        }

        await using var inside = await ConnectAsync(path, node, context.RequestAborted);
        context.Response.Headers.Upgrade = Protocol;
        await using var outside = await upgrade.UpgradeAsync();
        await JoinAsync(inside, outside, context.RequestAborted);
    }

    /// <summary>The socket of packets hears first whose they are; the control plane knows its callers by their pods' tokens.</summary>
    private static async Task<NetworkStream> ConnectAsync(string path, string node, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            if (path.EndsWith("link.sock", StringComparison.Ordinal))
            {
                await socket.SendAsync(Encoding.ASCII.GetBytes($"{node}\n"), cancellationToken);
            }

            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException problem)
        {
            socket.Dispose();
            throw ApiException.Unavailable($"this machine does not serve links now: {problem.Message}");
        }
    }

    private static async Task JoinAsync(Stream inside, Stream outside, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(CopyAsync(outside, inside, ending.Token), CopyAsync(inside, outside, ending.Token));
        await ending.CancelAsync();
    }

    private static async Task CopyAsync(Stream from, Stream to, CancellationToken cancellationToken)
    {
        try
        {
            await from.CopyToAsync(to, cancellationToken);
        }
        catch (Exception problem) when (problem is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Either side may go at any time; the other is closed then.
        }
    }
}
