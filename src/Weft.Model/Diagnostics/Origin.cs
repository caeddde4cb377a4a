// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Diagnostics;

/// <summary>Which object, and which place in it, a rule or a finding came from. Everything that decides carries one.</summary>
/// <param name="Dialect">Lower-case name of the front end, e.g. <c>istio</c>, <c>kubernetes</c>.</param>
/// <param name="Kind">The object's kind, e.g. <c>VirtualService</c>; empty for a text that is no object.</param>
/// <param name="Namespace">The object's namespace; empty for cluster-wide objects.</param>
/// <param name="Name">The object's name.</param>
/// <param name="Position">Where in the text, if it came from one.</param>
/// <param name="Path">The field, as in <c>spec.http[0].route[1].weight</c>; empty for the object as a whole.</param>
public sealed record Origin(string Dialect, string Kind, string Namespace, string Name, Position Position, string Path = "")
{
    /// <summary>The origin of what Weft itself adds, e.g. default routes.</summary>
    public static Origin BuiltIn { get; } = new("weft", "", "", "built-in", Position.None);

    /// <summary>The shortest text that lets a reader find the place.</summary>
    public string Where => Position.Line > 0
        ? Position.ToString()
        : $"{Kind}/{(Namespace.Length == 0 ? Name : $"{Namespace}/{Name}")}{(Path.Length == 0 ? "" : $" {Path}")}";

    public Origin At(string path, Position position) => this with { Path = path, Position = position };
}

/// <summary>A place in a text: 1-based line and column; zero where the text has no lines (an object read from the API).</summary>
public readonly record struct Position(string File, int Line, int Column)
{
    public static Position None => new("", 0, 0);

    public override string ToString() => Line == 0 ? File : $"{File}:{Line}:{Column}";
}
