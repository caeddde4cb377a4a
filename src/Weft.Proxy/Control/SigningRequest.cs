// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Weft.Model.Identity;

namespace Weft.Proxy.Control;

/// <summary>A fresh key (ECDSA P-256) and the PKCS#10 request for it. The key is in no other process, ever.</summary>
internal sealed record SigningRequest(string KeyPem, string RequestPem)
{
    public static SigningRequest Create(SpiffeId identity)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("O=weft", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(identity.ToString()));
        request.CertificateExtensions.Add(names.Build());
        return new SigningRequest(key.ExportPkcs8PrivateKeyPem() + "\n", request.CreateSigningRequestPem());
    }
}
