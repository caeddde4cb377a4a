// SPDX-License-Identifier: Apache-2.0

using Envoy.Service.Discovery.V3;
using Istio.V1.Auth;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Weft.Control.Authority;
using Weft.Kubernetes;

namespace Weft.Control.Serving;

/// <summary>The calls that proxies make: their configuration stream, and the signing of their keys.</summary>
internal sealed partial class ProxyCalls(
    TokenAuthenticator authenticator,
    CertificateAuthority authority,
    ProxyTable proxies,
    SecretRights rights,
    Func<string, string, string?> accountOfPod,
    MachineRegistrations machines,
    Counters counters,
    ServingLimits limits,
    TimeProvider time,
    ILogger<ProxyCalls> log,
    CancellationToken stopping)
{
    private const string Discovery = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";
    private const string DeltaPath = Discovery + "DeltaAggregatedResources";
    private const string StatePath = Discovery + "StreamAggregatedResources";
    private const string SigningPath = "/istio.v1.auth.IstioCertificateService/CreateCertificate";
    private const long MaxLifetimeSeconds = 1000L * 365 * 24 * 3600;

    public async Task ServeAsync(HttpContext context)
    {
        if (!GrpcCall.IsGrpc(context.Request))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        var call = new GrpcCall(context, limits.MaxMessageBytes);
        var (code, message) = await RunAsync(call, context.Request.Path.Value ?? "");
        if (!context.RequestAborted.IsCancellationRequested)
        {
            await call.CompleteAsync(code, message);
        }
    }

    private async Task<(GrpcStatusCode Code, string Message)> RunAsync(GrpcCall call, string path)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(call.Aborted, stopping);
        try
        {
            switch (path)
            {
                case DeltaPath:
                    await StreamAsync(call, await AuthenticateAsync(call, stop.Token), stop.Token);
                    return (GrpcStatusCode.Ok, "");
                case SigningPath:
                    await SignAsync(call, await AuthenticateAsync(call, stop.Token), stop.Token);
                    return (GrpcStatusCode.Ok, "");
                case StatePath:
                    return (GrpcStatusCode.Unimplemented, "Only the incremental form of ADS is served: call DeltaAggregatedResources.");
                default:
                    return (GrpcStatusCode.Unimplemented, $"There is no method '{path}'.");
            }
        }
        catch (GrpcRefusalException refusal)
        {
            LogRefused(path, refusal.Code, refusal.Message);
            return (refusal.Code, refusal.Message);
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            return (GrpcStatusCode.Unavailable, "The control plane is stopping. Try again.");
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // The caller went away in the middle of something.
            return (GrpcStatusCode.Cancelled, error.Message);
        }
        catch (Exception error)
        {
            LogFailed(path, error);
            return (GrpcStatusCode.Internal, "The control plane failed; its log says why.");
        }
    }

    private async Task<CallerIdentity> AuthenticateAsync(GrpcCall call, CancellationToken cancellation)
    {
        AuthenticationResult result;
        try
        {
            result = await authenticator.AuthenticateAsync(call.Authorization, cancellation);
        }
        catch (Exception error) when (error is HttpRequestException or KubernetesException or TimeoutException or IOException)
        {
            throw new GrpcRefusalException(GrpcStatusCode.Unavailable, $"The API cannot be asked who you are: {error.Message}");
        }

        if (result.Caller is null)
        {
            counters.AuthenticationFailed();
            throw new GrpcRefusalException(GrpcStatusCode.Unauthenticated, result.Refusal);
        }

        return result.Caller;
    }

    private async Task StreamAsync(GrpcCall call, CallerIdentity caller, CancellationToken cancellation)
    {
        if (await call.ReadAsync(DeltaDiscoveryRequest.Parser, cancellation) is not { } first)
        {
            return;
        }

        if (first.Node is null || !NodeId.TryParse(first.Node.Id, out var node))
        {
            throw new GrpcRefusalException(
                GrpcStatusCode.InvalidArgument,
                $"The first request must name its node as 'type~address~pod.namespace~domain', not '{first.Node?.Id}'.");
        }

        if (node.Refuse(caller, first.Node, accountOfPod(node.Namespace, node.Pod)) is { } refusal)
        {
            throw new GrpcRefusalException(GrpcStatusCode.PermissionDenied, refusal);
        }

        if (node.IsGateway)
        {
            await rights.LearnAsync(caller.Id, cancellation);
        }

        var peer = new ProxyPeer(caller, node, first.Node);
        var entry = await machines.OpenAsync(peer, cancellation);
        try
        {
            await StreamAsync(call, peer, first, cancellation);
        }
        finally
        {
            if (entry is not null)
            {
                // Not awaited: the call is over, and the entry stays for a while.
                _ = machines.CloseAsync(node.Namespace, entry, stopping);
            }
        }
    }

    private async Task StreamAsync(GrpcCall call, ProxyPeer peer, DeltaDiscoveryRequest first, CancellationToken cancellation)
    {
        var stream = new ProxyStream(call, peer, limits, time, counters, log);
        proxies.Add(stream);
        LogConnected(peer.Node.ProxyName, peer.Caller.Id.ToString(), first.InitialResourceVersions.Count);
        try
        {
            await call.OpenAsync(cancellation);
            await stream.RunAsync(first, cancellation);
        }
        finally
        {
            proxies.Remove(stream);
            LogGone(peer.Node.ProxyName);
        }
    }

    private async Task SignAsync(GrpcCall call, CallerIdentity caller, CancellationToken cancellation)
    {
        counters.SigningRequested();
        var request = await call.ReadAsync(IstioCertificateRequest.Parser, cancellation)
            ?? throw new GrpcRefusalException(GrpcStatusCode.InvalidArgument, "The call has no message.");
        try
        {
            var seconds = Math.Clamp(request.ValidityDuration, 0, MaxLifetimeSeconds);
            var response = new IstioCertificateResponse();
            response.CertChain.AddRange(authority.Sign(request.Csr, caller.Id, TimeSpan.FromSeconds(seconds)));
            await call.WriteAsync(response, cancellation);
        }
        catch (SigningRefusedException refusal)
        {
            throw new GrpcRefusalException(GrpcStatusCode.InvalidArgument, refusal.Message);
        }
    }

    [LoggerMessage(3201, LogLevel.Information, "Proxy '{Proxy}' is connected as '{Identity}'; it has {Held} resources of the first type already.")]
    private partial void LogConnected(string proxy, string identity, int held);

    [LoggerMessage(3202, LogLevel.Information, "Proxy '{Proxy}' is gone.")]
    private partial void LogGone(string proxy);

    [LoggerMessage(3203, LogLevel.Warning, "Refused a call of '{Path}' with {Code}: {Reason}")]
    private partial void LogRefused(string path, GrpcStatusCode code, string reason);

    [LoggerMessage(3204, LogLevel.Error, "A call of '{Path}' failed.")]
    private partial void LogFailed(string path, Exception error);
}
