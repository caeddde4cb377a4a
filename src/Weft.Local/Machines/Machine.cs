// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Local.Machines;

/// <summary>A machine that joined a mesh: where the API server is and which node it became. Kept in its home, with its certificate.</summary>
public sealed record Machine(Uri Server, string Node, string? Zone)
{
    /// <summary>Where the agent of such a machine is called, in the pods' network.</summary>
    public const int AgentPort = 10250;

    private const string FileName = "machine.json";
    private const string AuthorityFile = "machine-ca.crt";

    /// <summary>Certificate and key in one: whoever reads it while it is renewed sees a pair that fits.</summary>
    private const string OwnFile = "machine.pem";

    /// <summary>The machine that this home belongs to; null for a home with a mesh of its own, or with nothing.</summary>
    public static Machine? Read(MeshHome home)
    {
        var file = Path.Combine(home.Database, FileName);
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            var tree = JsonNode.Parse(File.ReadAllText(file));
            return new Machine(new Uri((string)tree!["server"]!), (string)tree["node"]!, (string?)tree["zone"]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or UriFormatException or ArgumentNullException)
        {
            throw new IOException($"'{file}' is damaged: {e.Message}", e);
        }
    }

    /// <summary>Keeps the machine with what it proves itself by; the last file makes it a member.</summary>
    public void Write(MeshHome home, string authorityPem, string certificatePem, ECDsa key)
    {
        AtomicFile.Write(Path.Combine(home.Database, AuthorityFile), authorityPem);
        WriteOwn(home, certificatePem, key);
        AtomicFile.Write(
            Path.Combine(home.Database, FileName),
            new JsonObject { ["server"] = Server.ToString(), ["node"] = Node, ["zone"] = Zone }.ToJsonString());
    }

    /// <summary>From when until when the machine's certificate is good.</summary>
    public static (DateTimeOffset Begins, DateTimeOffset Ends) Validity(MeshHome home)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(home.Database, OwnFile));
        return (new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
    }

    /// <summary>That the machine was away for so long that its certificate could not be renewed.</summary>
    public static string Ended(string node, DateTimeOffset ends) =>
        $"The certificate of node {node} ended at {ends.ToUniversalTime():u}, before it could be renewed; the mesh does not know this machine any more.";

    /// <summary>What is to be done about it.</summary>
    public static string EndedCure(string node) =>
        $"Join again. On the first machine:  weft kubectl delete node {node}; weft nodes token    and here:  weft down    then what it says.";

    /// <summary>Replaces what the machine proves itself by; throws <see cref="CryptographicException"/> for a certificate of another key.</summary>
    internal static void WriteOwn(MeshHome home, string certificatePem, ECDsa key)
    {
        var keyPem = key.ExportPkcs8PrivateKeyPem() + "\n";
        using (X509Certificate2.CreateFromPem(certificatePem, keyPem))
        {
            AtomicFile.Write(Path.Combine(home.Database, OwnFile), certificatePem + keyPem, secret: true);
        }
    }

    internal static DateTime OwnWritten(MeshHome home) => File.GetLastWriteTimeUtc(Path.Combine(home.Database, OwnFile));

    /// <summary>What it proves itself by, and by what it knows the API server.</summary>
    internal static (X509Certificate2 Authority, X509Certificate2 Own) Credentials(MeshHome home)
    {
        using var certificate = X509Certificate2.CreateFromPemFile(Path.Combine(home.Database, OwnFile));

        // A key that came from PEM is not one that TLS takes on every platform: it goes through PKCS 12 once.
        var own = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        return (X509CertificateLoader.LoadCertificateFromFile(Path.Combine(home.Database, AuthorityFile)), own);
    }
}
