// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Authorization;

/// <summary>
/// All comparisons of one attribute. Whole texts, beginnings and ends are looked up by hash, one look-up for each length that occurs;
/// templates by what they begin with. Only regular expressions are tried one after the other.
/// </summary>
internal sealed class TextTable
{
    private readonly ByteMap<Posting> _exact = new();
    private readonly ByteMap<Posting> _prefixes = new();
    private readonly ByteMap<Posting> _suffixes = new();
    private readonly ByteMap<List<(PathTemplate Template, Posting Posting)>> _templates = new();
    private readonly List<(string Pattern, TextMatcher Matcher, Posting Posting)> _patterns = [];
    private Posting? _present;
    private int[] _prefixLengths = [];
    private int[] _suffixLengths = [];
    private int[] _templateLengths = [];

    /// <summary>Throws <see cref="FormatException"/> for what cannot be compared this way.</summary>
    internal void Add(AttributeMatchPlan match, int pair, bool bars)
    {
        var value = Encoding.UTF8.GetBytes(match.Attribute == RequestTrait.Host ? match.Value.ToLowerInvariant() : match.Value);
        var posting = match.Kind switch
        {
            AttributeMatchKind.Exact => Find(_exact, value),
            AttributeMatchKind.Prefix => Find(_prefixes, value, ref _prefixLengths),
            AttributeMatchKind.Suffix => Find(_suffixes, value, ref _suffixLengths),
            AttributeMatchKind.Present => _present ??= new Posting(),
            AttributeMatchKind.Template => FindTemplate(match.Value),
            AttributeMatchKind.Regex => FindPattern(match),
            _ => throw new FormatException($"{match.Attribute} cannot be compared with {match.Kind}"),
        };
        posting.Add(pair, bars);
    }

    /// <summary>Marks what one value of the attribute holds and rules out.</summary>
    /// <param name="value">In lower case where the attribute knows no case.</param>
    /// <param name="whole">What regular expressions see of it.</param>
    /// <param name="isField">A field counts as present even when it is empty.</param>
    /// <param name="marks">Where.</param>
    internal void Mark(ReadOnlySpan<byte> value, ReadOnlySpan<byte> whole, bool isField, in Marks marks)
    {
        if (_exact.TryGet(value, out var found))
        {
            found.Mark(marks);
        }

        if (_present is not null && (isField || !value.IsEmpty))
        {
            _present.Mark(marks);
        }

        foreach (var length in _prefixLengths)
        {
            if (length > value.Length)
            {
                break;
            }

            if (_prefixes.TryGet(value[..length], out found))
            {
                found.Mark(marks);
            }
        }

        foreach (var length in _suffixLengths)
        {
            if (length > value.Length)
            {
                break;
            }

            if (_suffixes.TryGet(value[^length..], out found))
            {
                found.Mark(marks);
            }
        }

        MarkTemplates(value, marks);
        foreach (var (_, matcher, posting) in _patterns)
        {
            if (matcher.Holds(whole))
            {
                posting.Mark(marks);
            }
        }
    }

    private void MarkTemplates(ReadOnlySpan<byte> value, in Marks marks)
    {
        foreach (var length in _templateLengths)
        {
            if (length > value.Length)
            {
                break;
            }

            if (!_templates.TryGet(value[..length], out var list))
            {
                continue;
            }

            foreach (var (template, posting) in list)
            {
                if (template.Matches(value))
                {
                    posting.Mark(marks);
                }
            }
        }
    }

    private static Posting Find(ByteMap<Posting> map, byte[] key)
    {
        if (!map.TryGet(key, out var posting))
        {
            map.TryAdd(key, posting = new Posting());
        }

        return posting;
    }

    private static Posting Find(ByteMap<Posting> map, byte[] key, ref int[] lengths)
    {
        Remember(ref lengths, key.Length);
        return Find(map, key);
    }

    private Posting FindTemplate(string text)
    {
        var template = new PathTemplate(text);
        if (!_templates.TryGet(template.Head, out var list))
        {
            _templates.TryAdd(template.Head, list = []);
            Remember(ref _templateLengths, template.Head.Length);
        }

        var posting = new Posting();
        list.Add((template, posting));
        return posting;
    }

    private Posting FindPattern(AttributeMatchPlan match)
    {
        var known = _patterns.Find(entry => entry.Pattern == match.Value).Posting;
        if (known is null)
        {
            _patterns.Add((match.Value, TextMatcher.Compile(new TextMatchPlan(TextMatchKind.Regex, match.Value)), known = new Posting()));
        }

        return known;
    }

    private static void Remember(ref int[] lengths, int length)
    {
        if (!lengths.Contains(length))
        {
            lengths = [.. lengths.Append(length).Order()];
        }
    }
}
