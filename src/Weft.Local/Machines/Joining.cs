// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Machines;

/// <summary>Exchanges a token for the certificate of a node.</summary>
public static class Joining
{
    private const int MaxAuthorityBytes = 64 * 1024;

    private static readonly ResourceKind _requests = new("certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", false, "certificatesigningrequest", []);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Joins and keeps the result in the home. Throws <see cref="JoinException"/> when the authority is another one than the token says, or the
    /// API refuses.
    /// </summary>
    public static async Task<Machine> JoinAsync(MeshHome home, Uri server, JoinToken token, string node, string? zone, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(home);
        ArgumentNullException.ThrowIfNull(token);
        try
        {
            var pem = await FetchAuthorityAsync(server, ct);
            using var authority = X509Certificate2.CreateFromPem(pem);
            if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(JoinToken.FingerprintOf(authority)), Encoding.ASCII.GetBytes(token.Fingerprint)))
            {
                throw new JoinException($"Who answers at {server} is not the mesh that the token is of: its authority is {JoinToken.FingerprintOf(authority)}.");
            }

            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var client = new KubernetesClient(
                new KubernetesEndpoint(server.ToString()) { Authorities = [authority], BearerToken = token.Bearer }, KubernetesLimits.Default);
            var certificate = await RequestAsync(client, key, node, ct);
            var machine = new Machine(server, node, zone);
            machine.Write(home, pem, certificate, key);
            return machine;
        }
        catch (KubernetesException refused)
        {
            throw new JoinException(refused.StatusCode == HttpStatusCode.Unauthorized
                ? "The token is not good any more: it is an hour after it was made, or it has brought another machine in."
                : $"The API refuses: {refused.Message}");
        }
        catch (Exception away) when (away is HttpRequestException or TimeoutException or CryptographicException)
        {
            throw new JoinException($"{server} does not answer as an API server: {away.InnerException?.Message ?? away.Message}");
        }
    }

    /// <summary>Nothing is believed of this answer but what the fingerprint proves.</summary>
    private static async Task<string> FetchAuthorityAsync(Uri server, CancellationToken ct)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false };
#pragma warning disable CA5359 // Compared with the fingerprint that the token carries, before anything else is sent.
        handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true };
#pragma warning restore CA5359
        using var http = new HttpClient(handler) { Timeout = _patience, MaxResponseContentBufferSize = MaxAuthorityBytes };
        return await http.GetStringAsync(new Uri(server, "/weft/link/authority"), ct);
    }

    /// <summary>The certificate of a node for this key, as PEM, for who shows a token or is that node already.</summary>
    internal static async Task<string> RequestAsync(KubernetesClient client, ECDsa key, string node, CancellationToken ct)
    {
        var subject = new X500DistinguishedName($"CN=system:node:{node}, O=system:nodes");
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        var answer = await client.CreateAsync(_requests, null, new JsonObject
        {
            ["apiVersion"] = _requests.ApiVersion,
            ["kind"] = _requests.Kind,
            ["metadata"] = new JsonObject { ["generateName"] = "node-csr-" },
            ["spec"] = new JsonObject
            {
                ["request"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(request + "\n")),
                ["signerName"] = "kubernetes.io/kube-apiserver-client-kubelet",
                ["usages"] = new JsonArray("digital signature", "client auth"),
            },
        }, ct);
        var bytes = Convert.FromBase64String(answer.Text("status", "certificate")
            ?? throw new JoinException($"The API did not sign for node '{node}': who asked is not that node, and shows no token for machines that is still good."));
        return Encoding.ASCII.GetString(bytes);
    }
}

/// <summary>A machine cannot join; the message says why.</summary>
public sealed class JoinException(string message) : Exception(message);
