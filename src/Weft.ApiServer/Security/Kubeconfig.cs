// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.ApiServer.Security;

/// <summary>Writes the file that kubectl is pointed at.</summary>
internal static class Kubeconfig
{
    public static void Write(string path, string serverUrl, ServingAuthority authority)
    {
        var (certificate, key) = authority.IssueAdministrator();
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        PrivateFile.Write(
            path,
            $"""
            apiVersion: v1
            kind: Config
            current-context: weft
            clusters:
            - name: weft
              cluster:
                server: {serverUrl}
                certificate-authority-data: {Base64(authority.RootPem)}
            contexts:
            - name: weft
              context:
                cluster: weft
                user: admin
            users:
            - name: admin
              user:
                client-certificate-data: {Base64(certificate)}
                client-key-data: {Base64(key)}

            """);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
