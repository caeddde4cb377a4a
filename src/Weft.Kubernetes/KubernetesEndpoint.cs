// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Kubernetes;

/// <summary>Where an API server is and how to be let in.</summary>
public sealed class KubernetesEndpoint
{
    private const string UnixPrefix = "unix:";
    private readonly string? _socketPath;

    /// <param name="endpoint"><c>unix:/path</c>, <c>http://host:port</c> or <c>https://host:port</c>.</param>
    public KubernetesEndpoint(string endpoint)
    {
        ArgumentException.ThrowIfNullOrEmpty(endpoint);
        if (endpoint.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            _socketPath = endpoint[UnixPrefix.Length..];
            BaseAddress = new Uri("http://localhost/");
        }
        else if (Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
        {
            BaseAddress = uri;
        }
        else
        {
            throw new ArgumentException($"'{endpoint}' is no API endpoint. Write 'unix:/path' or 'https://host:port'.", nameof(endpoint));
        }
    }

    public Uri BaseAddress { get; }

    public string? BearerToken { get; init; }

    /// <summary>Roots that the server's certificate must lead to; null for the system's.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Presented to the server.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    internal SocketsHttpHandler OpenHandler()
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        if (_socketPath is { } path)
        {
            handler.ConnectCallback = (_, cancellation) => ConnectAsync(path, cancellation);
        }

        if (ClientCertificate is { } certificate)
        {
            handler.SslOptions.ClientCertificates = [certificate];
        }

        if (Authorities is { } authorities)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, chain, errors) =>
                Trusts(authorities, presented, chain, errors);
        }

        return handler;
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool Trusts(
        X509Certificate2Collection authorities, X509Certificate? presented, X509Chain? chain, SslPolicyErrors errors)
    {
        // Only the chain's root may differ from the system's opinion; a wrong name stays wrong.
        if (presented is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
        {
            return false;
        }

        using var own = new X509Chain();
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(authorities);
        if (chain is not null)
        {
            own.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        }

        using var copy = X509CertificateLoader.LoadCertificate(presented.GetRawCertData());
        return own.Build(copy);
    }
}
