// Streamlit 1.67 speaks English only. This puts Chinese in the place of its own texts as they appear;
// what visitors or our pages wrote is left alone. Texts drawn on the canvas of a grid cannot be reached.
(() => {
  const TEXTS = {
    // Frame, menu, connection
    "Skip to main content": "跳到正文",
    "Running...": "处理中…",
    "Stopping...": "正在停止…",
    Stop: "停止",
    Rerun: "重新运行",
    Connecting: "正在连接",
    "Connecting to Streamlit server": "正在连接服务器",
    Error: "错误",
    "Unable to connect to Streamlit server": "无法连接服务器",
    "Connection error": "连接中断",
    "Connection failed": "连接失败",
    "Connection timed out.": "连接超时，请检查网络后刷新本页。",
    "Connection lost. Please wait for the app to reconnect, then try again.": "连接已断开，请等待恢复后重试。",
    "Reconnected to server.": "连接已恢复。",
    "Network error": "网络错误",
    "Streamlit server is not responding. Are you connected to the internet?": "服务器没有响应，请检查网络后刷新本页。",
    "Is Streamlit still running? If you accidentally stopped Streamlit, just restart it in your terminal:":
      "服务器没有响应，请检查网络；如仍不能连接，请联系管理员。",
    "Page not found": "没有这个页面",
    "The page that you have requested does not seem to exist. Running the app's main page.":
      "您要打开的页面不存在，或您的账号无权打开，已转到首页。",
    "Bad message format": "消息格式有误",
    "Main menu": "主菜单",
    Menu: "菜单",
    Main: "正文",
    "App pages": "页面",
    "App Logo": "约检台",
    Logo: "约检台",
    "Sidebar Logo": "约检台",
    "Header Logo": "约检台",
    "Navigate to home page": "返回首页",
    Sidebar: "侧边栏",
    "Collapse sidebar": "收起侧边栏",
    "Expand sidebar": "展开侧边栏",
    "Close sidebar": "收起侧边栏",
    "Open sidebar": "展开侧边栏",
    "View less": "收起",
    Print: "打印",
    Theme: "主题",
    Light: "浅色",
    Dark: "深色",
    System: "跟随系统",
    "Use system setting": "跟随系统设置",
    About: "关于",
    Notifications: "通知",
    Close: "关闭",
    Cancel: "取消",
    Dismiss: "关闭",
    Copy: "复制",
    Copied: "已复制",
    "Copy to clipboard": "复制",
    "Link copied": "已复制链接",
    "Try again": "重试",
    Retry: "重试",
    Help: "帮助",
    Loading: "加载中",
    "Loading...": "加载中…",
    Expander: "展开",
    "Link to heading": "本节的链接",
    // Fields
    "(required)": "（必填）",
    "This field is required.": "此项必填。",
    "Invalid input.": "输入有误。",
    "Press Enter to apply": "按回车键确认",
    "Press Enter to submit form": "按回车键提交",
    "Press Ctrl+Enter to apply": "按 Ctrl+回车键确认",
    "Press Ctrl+Enter to submit form": "按 Ctrl+回车键提交",
    "Press ⌘+Enter to apply": "按 ⌘+回车键确认",
    "Press ⌘+Enter to submit form": "按 ⌘+回车键提交",
    "Clear entry": "清空",
    "Clear value": "清空",
    "Clear all": "全部清空",
    "Clear time": "清空时间",
    "Clear date": "清空日期",
    "Clear dates": "清空日期",
    "Clear date and time": "清空日期和时间",
    "Show password": "显示密码",
    "Show password text": "显示密码",
    "Hide password": "隐藏密码",
    "Hide password text": "隐藏密码",
    Increment: "增加",
    Decrement: "减少",
    "Number is above the allowed range.": "数值超出允许范围。",
    "Number is below the allowed range.": "数值低于允许范围。",
    "Invalid time format. Please use HH:MM.": "时间格式有误，请按“时:分”填写。",
    "Invalid time format. Please use HH:MM:SS or HH:MM.": "时间格式有误，请按“时:分”填写。",
    "Hours must be 0–23.": "小时须为 0 至 23。",
    "Minutes must be 0–59.": "分钟须为 0 至 59。",
    "Seconds must be 0–59.": "秒须为 0 至 59。",
    "End date must be >= start date": "结束日期不能早于开始日期",
    "Choose date": "选择日期",
    "Choose date range": "选择日期范围",
    "Choose date and time": "选择日期和时间",
    "Date range": "日期范围",
    "Quick select a date range": "快速选择日期范围",
    "Past Week": "最近一周",
    "Past Month": "最近一个月",
    "Past 3 Months": "最近三个月",
    "Past 6 Months": "最近六个月",
    "Past Year": "最近一年",
    "Past 2 Years": "最近两年",
    "Previous month": "上个月",
    "Next month": "下个月",
    "Use arrow keys to navigate dates. Enter to select. Escape to close.": "用方向键移动，回车键选择，Esc 键关闭。",
    yyyy: "年",
    mm: "月",
    dd: "日",
    // Choices
    "Choose an option": "请选择",
    "Choose options": "请选择",
    "Add an option": "请输入",
    "Add options": "请输入",
    "Choose or add an option": "请选择或输入",
    "Choose or add options": "请选择或输入",
    "No options to select": "没有可选项",
    "No options to select.": "没有可选项",
    "No options": "没有可选项",
    "No results": "没有匹配的选项",
    "Select...": "请选择",
    "Select all": "全选",
    "Selected values": "已选项",
    "Selectbox options": "选项",
    "Multiselect options": "选项",
    Selectbox: "选择框",
    Multiselect: "多选框",
    Suggestions: "选项",
    "Show suggestions": "展开选项",
    Open: "展开",
    Remove: "移除",
    "Next page": "下一页",
    "Previous page": "上一页",
    Pagination: "分页",
    // Files
    "file upload": "选择文件",
    "Error:": "错误：",
    Upload: "选择文件",
    "Upload directories": "选择文件夹",
    "Browse files": "选择文件",
    "Add files": "添加文件",
    "Drag and drop a file here": "将文件拖放到这里",
    "Drag and drop files here": "将文件拖放到这里",
    "Drag and drop file here": "将文件拖放到这里",
    "Drag and drop directories here": "将文件夹拖放到这里",
    "Uploading...": "正在上传…",
    "Upload failed": "上传失败",
    "Click to retry upload": "点击重新上传",
    "Only one file is allowed.": "只能选择一个文件。",
    "Too many files": "文件过多",
    "File size is too small.": "文件过小。",
    "Unexpected error. Please try again.": "出现错误，请重试。",
    "Error uploading file": "上传文件出错",
    "Error deleting file": "移除文件出错",
    "Request failed with status code 413": "文件过大",
    // Grids, tables, charts
    "Show data": "显示数据",
    "Show chart": "显示图表",
    "Download as PNG": "下载图片",
    "Download as SVG": "下载图片（SVG）",
    "Copy Vega-Lite spec": "复制图表定义",
    "Vega visualization": "图表",
    visualization: "图表",
    "group mark container": "图形",
    "rect mark container": "图形",
    "line mark container": "图形",
    "symbol mark container": "图形",
    bar: "柱",
    axis: "坐标轴",
    legend: "图例",
    Search: "查找",
    "Type to search": "输入要查找的内容",
    "Close Search": "关闭查找",
    "Previous Result": "上一处",
    "Next Result": "下一处",
    "Download as CSV": "下载 CSV",
    Fullscreen: "全屏",
    "Close fullscreen": "退出全屏",
    "Show/hide columns": "显示或隐藏列",
    "Add row": "新增一行",
    "Delete row(s)": "删除所选行",
    "Clear selection": "取消选择",
    "Toolbar action": "工具栏",
    "Dataframe column menu": "列菜单",
    "Copy column name": "复制列名",
    "Sort ascending": "升序排列",
    "Sort descending": "降序排列",
    Format: "格式",
    Autosize: "自动列宽",
    "Pin column": "固定此列",
    "Unpin column": "取消固定",
    "Hide column": "隐藏此列",
    Statistics: "统计",
    Automatic: "自动",
    Localized: "按本地习惯",
    Plain: "原样",
    Compact: "紧凑",
    Dollar: "美元",
    Euro: "欧元",
    Yen: "日元",
    Percent: "百分比",
    Scientific: "科学记数",
    Accounting: "会计",
    Duration: "时长",
    Distance: "距今",
    Calendar: "日历",
    Count: "数量",
    Range: "范围",
    Unique: "不同值",
    Empty: "空值",
    Mean: "平均值",
    Median: "中位数",
    "Scrollable table": "可滚动的表格",
    "Failed to load data": "加载数据失败",
    Metric: "指标",
  };

  const PATTERNS = [
    [/^View (\d+) more$/, "再显示 $1 项"],
    [/^You have requested page .*Running the app's main page\.$/, "您要打开的页面不存在，或您的账号无权打开，已转到首页。"],
    [/^Connection failed with status .*$/, "连接失败，请检查网络后刷新本页。"],
    [/^(Show\/hide columns|Download as CSV|Search|Fullscreen|Close fullscreen|Add row|Delete row\(s\)|Clear selection): (.*)$/, (_, action, name) => `${chinese(action)}：${name}`],
    [/^Help for (.*)$/, "“$1”的说明"],
    [/^([\d.]+) ?([KMG]?B) per file(?: • (.*))?$/, (_, size, unit, kinds) => `每个文件不超过 ${size} ${unit}` + (kinds ? `，${kinds}` : "")],
    [/^([\d.]+) ?([KMG]?B) per file • $/, "每个文件不超过 $1 $2，"],
    [/^(.*) files are not allowed\.$/, "不能选择这种类型的文件。"],
    [/^File (?:type )?must be (.*) or smaller\.$/, "文件不能超过 $1。"],
    [/^File type must be (?:one of )?(.*)$/, "只能选择 $1 文件"],
    [/^File is larger than (.*)$/, "文件超过 $1"],
    [/^Error: (.*)$/, (_, text) => `错误：${chinese(text)}`],
    [/^Choose date(?: range)?, (.*)$/, "选择日期，$1"],
    [/^(.*) start date$/, (_, text) => `${chinese(text)}，开始日期`],
    [/^(.*) end date$/, (_, text) => `${chinese(text)}，结束日期`],
    [/^[XY]-axis titled '(.*)' for .*$/, "坐标轴“$1”"],
    [/^[a-z0-9_]+ icon$/, "图标"],
    [/^Delete (.*)$/, "移除 $1"],
    [/^Remove (.*)$/, "移除 $1"],
    [/^Add: (.*)$/, "新增：$1"],
    [/^Select (\d+) matches$/, "选择匹配的 $1 项"],
    [/^You can only select up to (\d+) options?\. Remove an option first\.$/, "最多选择 $1 项，请先移除一项。"],
    [/^(\d+) options? available\.$/, "共 $1 个选项。"],
    [/^Page (\d+)(?: of (\d+))?$/, (_, page, total) => `第 ${page} 页` + (total ? `，共 ${total} 页` : "")],
    [/^(?:Go to page|page) (\d+)$/i, "第 $1 页"],
    [/^year, (.*)$/, "年，$1"],
    [/^month, (.*)$/, "月，$1"],
    [/^day, (.*)$/, "日，$1"],
    [/^hour, (.*)$/, "时，$1"],
    [/^minute, (.*)$/, "分，$1"],
    [/^Number is above the allowed range\. Please enter a value less than or equal to (.*)\.$/, "请输入不大于 $1 的数。"],
    [/^Number is below the allowed range\. Please enter a value greater than or equal to (.*)\.$/, "请输入不小于 $1 的数。"],
    [/^Number is outside the allowed range\. Please enter a value between (.*) and (.*)\.$/, "请输入 $1 至 $2 之间的数。"],
    [/^Date is outside the allowed range\. Please select a date between (.*) and (.*)\.$/, "请选择 $1 至 $2 之间的日期。"],
    [/^Time is out of range\..*$/, "时间超出允许范围。"],
    [/^(\d+) results?$/, "共 $1 处"],
    [/^(\d+) of (\d+) results?$/, "第 $1 处，共 $2 处"],
    [/^Shortcut (.*)$/, "快捷键 $1"],
  ];

  const ATTRIBUTES = ["placeholder", "aria-label", "aria-roledescription", "aria-valuetext", "title", "alt"];
  // What our pages or visitors wrote: never a text of Streamlit's own.
  const WRITTEN = [
    '[data-testid="stMarkdownContainer"]',
    '[data-testid="stText"]',
    '[data-testid="stTable"] table',
    '[data-testid="stMetricValue"]',
    '[data-testid="stHtml"]',
    '[data-testid="stFileUploaderFileName"]',
    "[data-tag]",
    "textarea",
    "input",
    "canvas",
    "pre",
    "code",
    "script",
    "style",
  ].join(",");

  // Yet here Streamlit sets its own words as Markdown.
  const OWN = [
    '[data-testid="stFileUploaderDropzone"]',
    '[data-testid="stElementToolbar"]',
    '[data-testid="stToolbar"]',
    '[data-testid="stStatusWidget"]',
  ].join(",");

  const chinese = (text) => {
    const key = text.trim();
    if (Object.hasOwn(TEXTS, key)) return text.replace(key, () => TEXTS[key]);
    for (const [pattern, words] of PATTERNS) {
      if (pattern.test(key)) return key.replace(pattern, words);
    }
    return text;
  };

  const translateText = (node) => {
    const parent = node.parentElement;
    if (!parent || !node.nodeValue.trim()) return;
    if (parent.closest(WRITTEN) && !parent.closest(OWN)) return;
    const words = chinese(node.nodeValue);
    if (words !== node.nodeValue) node.nodeValue = words;
  };

  const translateAttributes = (element) => {
    for (const name of ATTRIBUTES) {
      const value = element.getAttribute(name);
      if (!value) continue;
      const words = chinese(value);
      if (words !== value) element.setAttribute(name, words);
    }
  };

  const translate = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return translateText(node);
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    translateAttributes(node);
    node.childNodes.forEach(translate);
  };

  const changed = (changes) => {
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(translate);
      else if (change.type === "attributes") translateAttributes(change.target);
      else translateText(change.target);
    }
  };

  translate(document.body);
  new MutationObserver(changed).observe(document.body, {
    childList: true,
    subtree: true,
    characterData: true,
    attributes: true,
    attributeFilter: ATTRIBUTES,
  });
})();
