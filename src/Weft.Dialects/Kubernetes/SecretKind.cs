// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>Secret: bytes by key, of which those that certificates lie under mean something. Findings never hold the values.</summary>
internal static class SecretKind
{
    public static ParsedContent Parse(ObjectContext context)
    {
        var root = context.Root;
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in root.Map("data"))
        {
            ConfigMapKind.CheckKey(key, value, "data");
            ConfigMapKind.CheckBase64(value);
            if (value.Value is Yaml.YamlScalar { Value: var text } && IsCertificate(key))
            {
                values[key] = CredentialReader.Decode(text);
            }
        }

        foreach (var (key, value) in root.Map("stringData"))
        {
            ConfigMapKind.CheckKey(key, value, "stringData");
            if (value.AsText() is { } text && IsCertificate(key))
            {
                values[key] = text;
            }
        }

        root.Text("type");
        root.Boolean("immutable");
        root.Finish(KubernetesMessages.UnknownKubernetesField);
        var credential = CredentialReader.Read(context.Metadata.Namespace, context.Metadata.Name, values);
        return credential is null ? ParsedContent.Nothing : new ParsedContent { Credential = credential };
    }

    /// <summary>Other values are not even looked at.</summary>
    private static bool IsCertificate(string key) => key is "tls.crt" or "tls.key" or "ca.crt" or "ca.crl" or "cert" or "key" or "cacert" or "crl";
}
