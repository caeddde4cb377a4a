// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Secrets: plan ⇄ SDS. What is wrong with one is said without a word of what it holds.</summary>
internal static class SecretCodec
{
    public static Secret Encode(SecretPlan plan)
    {
        var secret = new Secret { Name = plan.Name };
        if (plan.KeyPem.Length > 0)
        {
            secret.TlsCertificate = new TlsCertificate { CertificateChain = Text(plan.ChainPem), PrivateKey = Text(plan.KeyPem) };
            return secret;
        }

        secret.ValidationContext = new CertificateValidationContext { TrustedCa = Text(plan.RootsPem) };
        if (plan.CrlPem.Length > 0)
        {
            secret.ValidationContext.Crl = Text(plan.CrlPem);
        }

        return secret;
    }

    public static SecretPlan? Decode(DecodeScope scope, Secret secret)
    {
        if (secret.TlsCertificate is { } pair)
        {
            return new SecretPlan(
                secret.Name,
                Read(scope, pair.CertificateChain, "tls_certificate.certificate_chain"),
                Read(scope, pair.PrivateKey, "tls_certificate.private_key"),
                "",
                "");
        }

        if (secret.ValidationContext is { } validation)
        {
            return new SecretPlan(
                secret.Name,
                "",
                "",
                Read(scope, validation.TrustedCa, "validation_context.trusted_ca"),
                validation.Crl is null ? "" : Read(scope, validation.Crl, "validation_context.crl"));
        }

        scope.Error("neither tls_certificate nor validation_context is given");
        return null;
    }

    private static DataSource Text(string pem) => new() { InlineString = pem };

    private static string Read(DecodeScope scope, DataSource? source, string field)
    {
        using var at = scope.At(field);
        var text = source?.SpecifierCase switch
        {
            DataSource.SpecifierOneofCase.InlineString => source.InlineString,
            DataSource.SpecifierOneofCase.InlineBytes => source.InlineBytes.ToStringUtf8(),
            _ => "",
        };
        if (text.Length == 0)
        {
            scope.Error("it is not given in the message");
        }

        return text;
    }
}
