// One way of showing every noun: columns for lists, pairs for one resource, JSON and YAML for
// programs.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api/cli/context.h"
#include "api/cli/json.h"
#include "api/cli/table.h"
#include "api/cli/yaml.h"

namespace stellwerk::cli {

enum class Shown { kAlways, kWide };

template <class Message>
struct Column {
  std::string header;
  Shown shown = Shown::kAlways;
  std::function<Cell(const Message&)> cell;
};
template <class Message>
using Columns = std::vector<Column<Message>>;

// An array on one line.
template <class Message>
std::string json_of(const std::vector<Message>& items) {
  std::string json = "[";
  for (const Message& item : items) {
    json += (json.size() > 1 ? "," : "") + to_json(item, JsonLayout::kOneLine);
  }
  return json + "]";
}

template <class Message>
void print_json_list(std::ostream& out, const std::vector<Message>& items) {
  out << '[';
  const char* before = "\n";
  for (const Message& item : items) {
    out << before << to_json(item, JsonLayout::kIndented);
    before = ",\n";
  }
  out << (items.empty() ? "]\n" : "\n]\n");
}

template <class Message>
void print_table(const Context& context, const std::vector<Message>& items,
                 const Columns<Message>& columns) {
  const bool wide = context.format == OutputFormat::kWide;
  const auto pick = [&](const auto& cell_of) {
    std::vector<Cell> cells;
    for (const Column<Message>& column : columns) {
      if (wide || column.shown == Shown::kAlways) cells.push_back(cell_of(column));
    }
    return cells;
  };
  Table table(pick([](const Column<Message>& column) { return Cell(column.header); }));
  for (const Message& item : items) {
    table.add(pick([&item](const Column<Message>& column) { return column.cell(item); }));
  }
  table.print(context.out(), context.colour);
}

template <class Message>
void print_list(const Context& context, const std::vector<Message>& items,
                const Columns<Message>& columns) {
  if (context.format == OutputFormat::kJson) {
    print_json_list(context.out(), items);
  } else if (context.format == OutputFormat::kYaml) {
    context.out() << yaml_of_json(json_of(items)) << '\n';
  } else {
    print_table(context, items, columns);
  }
}

// The document, or what `otherwise` prints for people.
template <class Message, class Otherwise>
void print_document(const Context& context, const Message& item, const Otherwise& otherwise) {
  if (context.format == OutputFormat::kJson) {
    context.out() << to_json(item, JsonLayout::kIndented) << '\n';
  } else if (context.format == OutputFormat::kYaml) {
    context.out() << yaml_of_json(to_json(item, JsonLayout::kOneLine)) << '\n';
  } else {
    otherwise();
  }
}

// What a mutation answered: the document, or a table of one row.
template <class Message>
void print_one(const Context& context, const Message& item, const Columns<Message>& columns) {
  print_document(context, item, [&] { print_table(context, std::vector<Message>{item}, columns); });
}

// What a deletion answered: the document, or a sentence.
template <class Message>
void print_deleted(const Context& context, const Message& item, std::string_view sentence) {
  print_document(context, item, [&] { context.out() << Cell(sentence).text() << '\n'; });
}

template <class Message>
void print_details(const Context& context, const Message& item, const KeyValues& pairs) {
  print_document(context, item, [&] { print_key_values(context.out(), pairs, context.colour); });
}

}  // namespace stellwerk::cli
