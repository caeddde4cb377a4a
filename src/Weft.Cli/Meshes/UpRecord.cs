// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Local;

namespace Weft.Cli.Meshes;

/// <summary>What the process that holds a mesh wrote about itself, so that other commands find it.</summary>
/// <param name="Pid">The holder.</param>
/// <param name="Started">The holder's start in the kernel's clock ticks: a pid alone may be somebody else's by now.</param>
/// <param name="Sandbox">The outer process of the namespaces.</param>
/// <param name="ApiUrl">Where kubectl reaches the API server.</param>
internal sealed record UpRecord(int Pid, long Started, int Sandbox, string ApiUrl)
{
    /// <summary>Where other machines reach it; null if they may not join.</summary>
    public string? JoinUrl { get; init; }

    public bool IsAlive => ProcessFacts.StartOf(Pid) == Started;

    public static UpRecord? Read(MeshHome home)
    {
        try
        {
            var file = JsonNode.Parse(File.ReadAllText(FileOf(home)));
            return file is null ? null : new UpRecord((int)file["pid"]!, (long)file["started"]!, (int)file["sandbox"]!, (string)file["apiUrl"]!) { JoinUrl = (string?)file["joinUrl"] };
        }
        catch (Exception absent) when (absent is IOException or JsonException or InvalidOperationException or NullReferenceException)
        {
            return null;
        }
    }

    public void Write(MeshHome home)
    {
        var text = new JsonObject { ["pid"] = Pid, ["started"] = Started, ["sandbox"] = Sandbox, ["apiUrl"] = ApiUrl, ["joinUrl"] = JoinUrl }.ToJsonString();
        var half = FileOf(home) + ".new";
        File.WriteAllText(half, text);
        File.Move(half, FileOf(home), overwrite: true);
    }

    public static void Remove(MeshHome home) => File.Delete(FileOf(home));

    private static string FileOf(MeshHome home) => Path.Combine(home.Run, "up.json");
}
