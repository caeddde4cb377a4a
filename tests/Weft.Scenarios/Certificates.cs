// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Scenarios;

/// <summary>Authorities and certificates in a folder of their own, made by openssl as an operator would.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-tls-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public string File(string name) => Path.Combine(_folder, name);

    /// <summary>Arguments with which curl shows a certificate.</summary>
    public string[] Shown(string name) => ["--cert", File($"{name}.crt"), "--key", File($"{name}.key")];

    public async Task AuthorityAsync(string name) => (await Command.RunAsync("openssl", [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "200", "-subj", $"/CN={name}",
        "-keyout", File($"{name}.key"), "-out", File($"{name}.crt")])).Succeeded();

    public async Task IssueAsync(string authority, string name, string host)
    {
        await System.IO.File.WriteAllTextAsync(File($"{name}.ext"), $"subjectAltName=DNS:{host}\n");
        (await Command.RunAsync("openssl", [
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", $"/CN={name}",
            "-keyout", File($"{name}.key"), "-out", File($"{name}.csr")])).Succeeded();
        (await Command.RunAsync("openssl", [
            "x509", "-req", "-days", "120", "-CA", File($"{authority}.crt"), "-CAkey", File($"{authority}.key"),
            "-in", File($"{name}.csr"), "-out", File($"{name}.crt"), "-extfile", File($"{name}.ext")])).Succeeded();
    }

    /// <summary>A Secret with a certificate, and with the roots of its peers beside it.</summary>
    public string Secret(string ns, string secret, string certificate, string authority) => $"""
        ---
        apiVersion: v1
        kind: Secret
        metadata:
          name: {secret}
          namespace: {ns}
        data:
          tls.crt: {Value($"{certificate}.crt")}
          tls.key: {Value($"{certificate}.key")}
          ca.crt: {Value($"{authority}.crt")}

        """;

    private string Value(string name) => Convert.ToBase64String(Encoding.UTF8.GetBytes(System.IO.File.ReadAllText(File(name))));
}
