// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Tls;

/// <summary>PEM files that plans name, and how one notices that they were replaced.</summary>
internal static class CertificateFile
{
    /// <summary>A bundle of a system's roots is below 300 kB.</summary>
    internal const int MaxBytes = 4 * 1024 * 1024;

    internal static string Read(string path)
    {
        try
        {
            return new FileInfo(path).Length <= MaxBytes
                ? File.ReadAllText(path)
                : throw new TlsException($"the file '{path}' has more than {MaxBytes} bytes");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new TlsException($"the file '{path}' cannot be read: {problem.Message}", problem);
        }
    }

    internal static IEnumerable<string> Of(DownstreamTlsPlan plan) => Given(
        [.. plan.Certificates.SelectMany(c => new[] { c.ChainFile, c.KeyFile }), plan.Clients?.CaFile ?? "", plan.Clients?.CrlFile ?? ""]);

    internal static IEnumerable<string> Of(UpstreamTlsPlan plan) =>
        Given([plan.Certificate?.ChainFile ?? "", plan.Certificate?.KeyFile ?? "", plan.CaCertificatesFile, plan.CrlFile]);

    /// <summary>A number that differs when a file was written or replaced.</summary>
    internal static long Stamp(IEnumerable<string> files) =>
        files.Aggregate(0L, (sum, file) => HashCode.Combine(sum, File.GetLastWriteTimeUtc(file).Ticks));

    private static IEnumerable<string> Given(string[] files) => files.Where(file => file.Length > 0);
}
