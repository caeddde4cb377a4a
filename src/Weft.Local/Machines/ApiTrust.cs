// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Local.Machines;

/// <summary>Who counts as the API server: the bearer of a server's certificate of the one authority, under the name that was asked for.</summary>
internal static class ApiTrust
{
    /// <summary>A name by which every API server can be asked for.</summary>
    public const string Name = "kubernetes.default.svc";

    private const string ServerPurpose = "1.3.6.1.5.5.7.3.1";

    public static SslClientAuthenticationOptions Options(string host, X509Certificate2 authority, X509Certificate2? own) => new()
    {
        TargetHost = host,
        ClientCertificates = own is null ? null : [own],
        RemoteCertificateValidationCallback = (_, presented, _, errors) => Trusts(authority, presented, errors),
    };

    private static bool Trusts(X509Certificate2 authority, X509Certificate? presented, SslPolicyErrors errors)
    {
        // Only the chain's root may differ from the system's opinion; a wrong name stays wrong.
        if (presented is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerPurpose));
        using var copy = X509CertificateLoader.LoadCertificate(presented.GetRawCertData());
        return chain.Build(copy);
    }
}
