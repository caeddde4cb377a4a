// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Weft.ApiServer.Tests.Transcripts;

/// <summary>The folder that replayed calls run in: the files they read, and a kubeconfig for each who asks.</summary>
internal sealed partial class ReplayPlace(TestServer server, string url) : IDisposable
{
    private const string Nowhere = "https://127.0.0.1:1";

    private readonly Dictionary<string, string> _configs = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _gate = new(1);

    public string Url => url;

    public string Folder { get; } = Path.Combine(server.Folder, "work");

    public static ReplayPlace Prepare(TestServer server, string url)
    {
        var place = new ReplayPlace(server, url);
        var source = Path.Combine(AppContext.BaseDirectory, "Transcripts", "files");
        foreach (var file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(place.Folder, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return place;
    }

    /// <summary>
    /// The administrator's kubeconfig, or that of somebody else: <c>sa1</c> has a service account's token, <c>stranger</c> a wrong one,
    /// <c>nobody</c> none, and <c>nowhere</c> asks where no server is.
    /// </summary>
    public async Task<string> ConfigAsync(string? user)
    {
        await _gate.WaitAsync();
        try
        {
            return _configs.TryGetValue(user ?? "", out var known) ? known : await WriteConfigAsync(user);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<string> WriteConfigAsync(string? user)
    {

        var path = Path.Combine(server.Folder, "kubeconfig-" + (user ?? "admin"));
        server.WriteKubeconfig(path, user is "nowhere" ? Nowhere : url);
        if (user is "sa1" or "stranger" or "nobody")
        {
            var bare = Certificate().Replace(await File.ReadAllTextAsync(path), "");
            var credentials = user switch
            {
                "sa1" => $"  user:\n    token: {await TokenAsync()}\n",
                "stranger" => "  user:\n    token: nonsense\n",
                _ => "  user: {}\n",
            };
            await File.WriteAllTextAsync(path, bare.Replace("  user:\n", credentials, StringComparison.Ordinal));
        }

        return _configs[user ?? ""] = path;
    }

    public void Dispose() => _gate.Dispose();

    private async Task<string> TokenAsync()
    {
        var (_, issued) = await server.PostAsync(
            "/api/v1/namespaces/t1/serviceaccounts/sa1/token",
            new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenRequest", ["spec"] = new JsonObject() }.ToJsonString());
        return (string)issued["status"]!["token"]!;
    }

    [GeneratedRegex("    client-[a-z-]+: .*\\n")]
    private static partial Regex Certificate();
}
